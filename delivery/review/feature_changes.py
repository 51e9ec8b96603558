"""What a change does to a stage's features: the part of the page, and when there is one."""

from collections.abc import Sequence

from components.feature_store import names as feature_store_names
from components.kubernetes import naming
from components.settings.stack import StackSettings
from delivery.features.plan import FeatureChange, FeaturePlan
from delivery.releases.changes import Deployed, Release
from delivery.review.manifest_changes import ManifestChange
from delivery.review.markdown import code, fence
from delivery.review.size import Block


def applied(changes: Sequence[ManifestChange]) -> bool:
    """True when a deployment of the change runs `feast apply`: its Job is named by what it applies."""
    return any(
        change.object.kind == "Job"
        and change.after is not None
        and change.after["metadata"]["labels"].get(naming.NAME) == feature_store_names.APPLY
        for change in changes
    )


def features_block(plan: FeaturePlan, stage: str, level: str, rank: int = 0) -> Block:
    """The section of the page that says what changes in the registry.

    Args:
        plan: What changes.
        stage: The stage's name.
        level: The heading's `#` characters.
        rank: The block's rank.
    """
    head = f"{level} Features of {code(stage)}\n"
    if plan.problem is not None:
        return Block(head=f"{head}\n**Unknown: {code(plan.problem)}**")
    if plan.first:
        head += "\nThe registry is empty: this is the first time.\n"
    if not plan.changes:
        return Block(head=f"{head}\nNo change.")
    return Block(head=head, items=tuple(map(_item, plan.changes)), separator="\n\n", rank=rank, noun="object")


def _item(change: FeatureChange) -> str:
    return f"**{change.change}** {change.kind} {code(change.name)}\n\n{fence(change.diff, 'diff')}"


def store_release(stage: str, before: StackSettings | None, after: StackSettings) -> Release | None:
    """The stage's feature store in two commits as a release; None for the same version, digest and replicas."""
    old, new = (
        None
        if settings is None or (store := settings.feature_store) is None
        else Deployed(version=store.version, digest=store.digest, replicas=store.replicas)
        for settings in (before, after)
    )
    return None if old == new else Release(stage=stage, model="the feature store", before=old, after=new)
