"""Reviews a change: two commits of a repository, for one stage or for all."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.errors import Problem, SettingsError, UserError
from components.files.sources import FEATURES, MODELS, PROGRAM
from components.kubernetes.staged_model import StagedModel
from components.loading.stack_files import LoadedStack
from components.settings.stack import StackSettings
from delivery.checking.serving import release_of_devices
from delivery.drift.kubectl import Kubectl
from delivery.features.feast import FEAST_PYTHON
from delivery.features.plan import FeaturePlan, feature_plan
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.policies.exceptions import exemptions, not_asked
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
from delivery.review.safety import ordered
from delivery.review.safety_files import changed_files, file_changes, runs_other_features, runs_other_program
from delivery.review.safety_keys import engine_changes, key_changes
from delivery.review.safety_objects import object_changes
from delivery.review.secrets import new_secrets
from delivery.review.stage_review import StageReview
from delivery.review.trees import head_tree

_NOT_RUN = Problem(
    "the change has code of the feature definitions, which is not run before someone accepts it",
    "read it, then review it without --without-code",
)
_NOT_PREVIEWED = Problem(
    "the change gives Pulumi's engine other keys in the stack file, and is not previewed before someone accepts them",
    "read them, then review it without --without-code",
)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is compared, and how.

    Attributes:
        found: The releases of all stages.
        feast: The Python that has Feast.
        files: The files that differ.
        code: HEAD's own code may run.
        accepted: Someone accepted what weakens the stage.
    """

    found: Sequence[Release]
    feast: Path
    files: tuple[str, ...]
    code: bool
    accepted: bool


def review(
    project: Path, span: str, stage: str | None = None, *, code: bool = True, accepted: bool = False
) -> tuple[Change, list[StageReview]]:
    """Review what HEAD changes since it branched off BASE.

    Args:
        project: The checkout.
        span: `BASE..HEAD`; an omitted side is the commit that is checked out.
        stage: The stage; None for every stage that has a stack file in HEAD.
        code: False to run nothing of HEAD: the base commit's program makes the objects of HEAD's files.
        accepted: What weakens the stage was read and accepted, so it does not stop the merge.

    Raises:
        UserError: there is no such commit or stage, or the two have no commit in common.
    """
    repository = Repository(project)
    before, after = _ends(span)
    head = repository.resolve(after)
    base = _merge_base(repository, before, head)
    stages = stages_at(repository, head)
    if not stages:
        raise UserError(
            f"{after} has no stage, so there is nothing to review", "keep a Pulumi.<stage>.yaml in it"
        )
    if stage is not None and stage not in stages:
        known = ", ".join(stages)
        raise UserError(f"{after} has no Pulumi.{stage}.yaml", f"name one of its stages: {known}")
    reviewed = stages if stage is None else (stage,)
    work = _Work(
        found=releases(repository, base, head),
        feast=project / FEAST_PYTHON,
        files=changed_files(repository, base, head),
        code=code,
        accepted=accepted,
    )
    with head_tree(repository, base, head, code=code) as new, sources_at(repository, base) as old:
        gathered = [
            _stage(
                StageAt(sources=old, stage=name, commit=base),
                StageAt(sources=new, stage=name, commit=head),
                work,
            )
            for name in reviewed
        ]
    around = _surroundings(repository, (before, base, head), work, stages)
    change = Change(
        base=base,
        head=head,
        span=span,
        stage=stage,
        without=() if code else tuple(filter(runs_other_program, work.files)),
    )
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


def _stage(base: StageAt, head: StageAt, work: _Work) -> StageReview:
    own = tuple(release for release in work.found if release.stage == head.stage)
    safety = (*key_changes(base, head), *file_changes(work.files))
    known = StageReview(stage=head.stage, releases=own, safety=ordered(safety), accepted=work.accepted)
    try:
        return _complete(known, base, head, work)
    except SettingsError as error:
        return replace(known, problems=tuple(map(str, error.problems)))
    except ProgramError as error:
        return replace(known, problems=(str(error),))


def _complete(known: StageReview, base: StageAt, head: StageAt, work: _Work) -> StageReview:
    folder, loaded = head.sources.folder, head.loaded
    # Rendering and the registries take a while themselves, so the preview runs in parallel.
    with _previewing(base, head, work) as preview:
        rendered, rendered_before = head.manifests, _rendered_before(base)
        changes = manifest_changes(rendered_before, rendered)
        before = _settings_before(base)
        return replace(
            known,
            facts=_facts(_asking(loaded.settings, before, work), known.releases),
            gated=frozenset(model.name for model in loaded.settings.models if model.gate is not None),
            changes=changes,
            safety=ordered([*known.safety, *object_changes(changes, rendered_before, rendered)]),
            exempt=tuple(map(str, (*exemptions(folder, loaded.settings), *not_asked(loaded.settings)))),
            store=store_release(head.stage, before, loaded.settings),
            features=_features(folder, loaded, changes, work),
            reads=feature_reads(before, loaded.settings),
            secrets=new_secrets(rendered_before, rendered),
            rollouts=_rollouts(loaded.settings, changes),
            violations=tuple(violations(folder, loaded.settings, rendered)),
            preview=_seen(preview(), loaded.settings),
        )


@contextmanager
def _previewing(base: StageAt, head: StageAt, work: _Work) -> Iterator[Callable[[], Preview]]:
    """The preview; a problem in its place where the engine would be given what only someone may accept."""
    if not work.code and any(True for _ in engine_changes(base, head)):
        yield lambda: Preview(problems=(str(_NOT_PREVIEWED),))
        return
    with previewing(head.sources.folder, head.stage) as preview:
        yield preview


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
    head: Path, loaded: LoadedStack, changes: Sequence[ManifestChange], work: _Work
) -> FeaturePlan | None:
    if not applied(changes):
        return None
    if not work.code and runs_other_features(work.files):
        return FeaturePlan(problem=str(_NOT_RUN))
    try:
        return feature_plan(head, loaded.settings, work.feast)
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


def _asking(stack: StackSettings, before: StackSettings | None, work: _Work) -> StackSettings:
    """The stage, with the model registry of the base commit while HEAD's may be one that collects tokens."""
    registry = stack.model_registry if work.code else before and before.model_registry
    return stack.model_copy(update={"model_registry": registry})


def _facts(stack: StackSettings, found: Sequence[Release]) -> Mapping[str, ReleaseFacts]:
    models = {model.name: model for model in stack.models}
    wanted = [release for release in found if release.version_changed and release.model in models]

    def facts(release: Release) -> ReleaseFacts:
        running = release.before.version if release.before else None
        return release_facts(StagedModel(models[release.model], stack), running)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((release.model for release in wanted), pool.map(facts, wanted), strict=True))


def _surroundings(
    repository: Repository, commits: tuple[str, str, str], work: _Work, stages: Sequence[str]
) -> Surroundings:
    before, base, head = commits
    runs_in: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for stage in stages:
        for model in entries_at(repository, head, stage):
            runs_in[model] += (stage,)
    return Surroundings(
        base=before,
        releases=work.found,
        files=work.files,
        runs_in=runs_in,
        newer={stage: _newer(repository, base, before, stage) for stage in stages},
        locked=locked(stages),
        gone=tuple(sorted({*stages_at(repository, base)} - {*stages})),
    )


def _newer(repository: Repository, base: str, before: str, stage: str) -> int:
    paths = [f"./{path}" for path in (f"Pulumi.{stage}.yaml", MODELS, FEATURES, *PROGRAM)]
    return int(repository.git("rev-list", "--count", f"{base}..{repository.resolve(before)}", "--", *paths))
