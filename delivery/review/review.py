"""Reviews a change: two commits of a repository, for one stage or for all."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.errors import SettingsError, UserError
from components.files.sources import FEATURES, MODELS, PROGRAM, Sources
from components.kubernetes.staged_model import StagedModel
from components.loading.stack_files import LoadedStack
from components.settings.stack import StackSettings
from delivery.checking.serving import release_of_devices
from delivery.drift.kubectl import Kubectl
from delivery.features.feast import FEAST_PYTHON
from delivery.features.plan import FeaturePlan, feature_plan
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.policies.findings import violations
from delivery.registries.check import AT_ONCE
from delivery.registries.facts import ReleaseFacts, release_facts
from delivery.releases.changes import Release, entries_at, releases, stages_at
from delivery.releases.namespaces import refuse_namespaces_of_others
from delivery.rendering.program import ProgramError
from delivery.rendering.stage_at import StageAt
from delivery.review.feature_changes import applied, store_release
from delivery.review.feature_reads import feature_reads
from delivery.review.locks import locked
from delivery.review.look_at import Surroundings, look_at
from delivery.review.manifest_changes import ManifestChange, manifest_changes
from delivery.review.page import Change
from delivery.review.preview import Preview, previewing
from delivery.review.secrets import new_secrets
from delivery.review.stage_review import StageReview

_VENV = ".venv"


def review(project: Path, span: str, stage: str | None = None) -> tuple[Change, list[StageReview]]:
    """Review what HEAD changes since it branched off BASE.

    Args:
        project: The checkout.
        span: `BASE..HEAD`; an omitted side is the commit that is checked out.
        stage: The stage; None for every stage that has a stack file in HEAD.

    Raises:
        UserError: there is no such commit or stage, or the two have no commit in common.
    """
    repository = Repository(project)
    before, after = _ends(span)
    head = repository.resolve(after)
    base = _merge_base(repository, before, head)
    stages = stages_at(repository, head)
    if stage is not None and stage not in stages:
        known = ", ".join(stages) or "none"
        raise UserError(f"{after} has no Pulumi.{stage}.yaml", f"name one of its stages: {known}")
    reviewed = stages if stage is None else (stage,)
    found = releases(repository, base, head)
    with _checkout(repository, head) as new, sources_at(repository, base) as old:
        gathered = [
            _stage(
                StageAt(sources=old, stage=name, commit=base),
                StageAt(sources=new, stage=name, commit=head),
                found,
                project / FEAST_PYTHON,
            )
            for name in reviewed
        ]
    around = _surroundings(repository, (before, base, head), found, stages)
    change = Change(base=base, head=head, span=span, stage=stage)
    return change, [replace(each, look_at=look_at(each, around)) for each in gathered]


def _ends(span: str) -> tuple[str, str]:
    before, dots, after = span.partition("...") if "..." in span else span.partition("..")
    if not dots or ".." in after:
        raise UserError(f"{span} is not a range of commits", "write BASE..HEAD, like main..HEAD")
    return before or "HEAD", after or "HEAD"


def _merge_base(repository: Repository, before: str, head: str) -> str:
    """Where the change branched off: later commits of BASE are not part of it."""
    done = repository.try_git("merge-base", repository.resolve(before), head)
    if done.returncode == 0:
        return done.stdout.strip()
    fix = (
        "this clone is shallow: `git fetch --unshallow` fetches the rest"
        if repository.shallow
        else "name a base that the change was made from"
    )
    raise UserError(f"{before} and {head} have no commit in common", fix)


@contextmanager
def _checkout(repository: Repository, head: str) -> Iterator[Sources]:
    """The project as HEAD has it, with the Python environment in which Pulumi runs the program."""
    with sources_at(repository, head) as sources:
        environment, there = repository.project / _VENV, sources.folder / _VENV
        if environment.exists() and not there.exists():
            there.symlink_to(environment.resolve())
        yield sources


def _rendered_before(base: StageAt) -> Sequence[dict[str, Any]]:
    """The base commit's manifests; none where it has no such stage or refuses its own files."""
    try:
        return base.manifests
    except (ProgramError, SettingsError):
        return []


def _settings_before(base: StageAt) -> StackSettings | None:
    try:
        return base.settings
    except SettingsError:
        return None


def _stage(base: StageAt, head: StageAt, found: Sequence[Release], feast: Path) -> StageReview:
    stage, folder = head.stage, head.sources.folder
    own = tuple(release for release in found if release.stage == stage)
    try:
        loaded = head.loaded
        # Rendering and the registries take a while themselves, so the preview runs in parallel.
        with previewing(folder, stage) as preview:
            rendered, rendered_before = head.manifests, _rendered_before(base)
            changes = manifest_changes(rendered_before, rendered)
            before = _settings_before(base)
            return StageReview(
                stage=stage,
                releases=own,
                facts=_facts(loaded, own),
                gated=frozenset(model.name for model in loaded.settings.models if model.gate is not None),
                changes=changes,
                store=store_release(stage, before, loaded.settings),
                features=_features(folder, loaded, changes, feast),
                reads=feature_reads(before, loaded.settings),
                secrets=new_secrets(rendered_before, rendered),
                rollouts=_rollouts(loaded.settings, changes),
                violations=tuple(violations(folder, loaded.settings, rendered)),
                preview=_seen(preview(), loaded.settings),
            )
    except SettingsError as error:
        return StageReview(stage=stage, releases=own, problems=tuple(map(str, error.problems)))
    except ProgramError as error:
        return StageReview(stage=stage, releases=own, problems=(str(error),))


def _seen(preview: Preview, stack: StackSettings) -> Preview:
    """The preview, with a problem where the cluster cannot be reached, or has a namespace that is someone else's.

    Without a cluster the official plugin silently plans from the recorded state, and it would take over the namespace.
    """
    if preview.problems:
        return preview
    kubectl = Kubectl(stack.kube_context)
    try:
        kubectl.kinds()
        refuse_namespaces_of_others(stack, kubectl)
    except UserError as error:
        return replace(preview, problems=(str(error),))
    return preview


def _features(
    head: Path, loaded: LoadedStack, changes: Sequence[ManifestChange], feast: Path
) -> FeaturePlan | None:
    if not applied(changes):
        return None
    try:
        return feature_plan(head, loaded.settings, feast)
    except UserError as error:
        return FeaturePlan(problem=str(error))


def _rollouts(stack: StackSettings, changes: Sequence[ManifestChange]) -> Mapping[str, str]:
    rolled = {change.model for change in changes if change.rolls}
    return {
        model.name: said
        for model in stack.models
        if model.name in rolled
        for said in release_of_devices(model)
    }


def _facts(loaded: LoadedStack, found: Sequence[Release]) -> Mapping[str, ReleaseFacts]:
    models = {model.name: model for model in loaded.settings.models}
    wanted = [release for release in found if release.version_changed and release.model in models]

    def facts(release: Release) -> ReleaseFacts:
        running = release.before.version if release.before else None
        return release_facts(StagedModel(models[release.model], loaded.settings), running)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((release.model for release in wanted), pool.map(facts, wanted), strict=True))


def _surroundings(
    repository: Repository, commits: tuple[str, str, str], found: Sequence[Release], stages: Sequence[str]
) -> Surroundings:
    before, base, head = commits
    files = repository.git("diff", "--name-only", "--no-renames", "--relative", "-z", base, head).split("\0")
    runs_in: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for stage in stages:
        for model in entries_at(repository, head, stage):
            runs_in[model] += (stage,)
    return Surroundings(
        base=before,
        releases=found,
        files=[file for file in files if file],
        runs_in=runs_in,
        newer={stage: _newer(repository, base, before, stage) for stage in stages},
        locked=locked(stages),
        gone=tuple(sorted({*stages_at(repository, base)} - {*stages})),
    )


def _newer(repository: Repository, base: str, before: str, stage: str) -> int:
    paths = [f"./{path}" for path in (f"Pulumi.{stage}.yaml", MODELS, FEATURES, *PROGRAM)]
    return int(repository.git("rev-list", "--count", f"{base}..{repository.resolve(before)}", "--", *paths))
