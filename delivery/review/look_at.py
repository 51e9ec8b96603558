"""What a reviewer should look at: derived from the change; none of it stops a merge."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from components.files.sources import MODELS, PROGRAM
from delivery.policies.version_order import goes_back
from delivery.releases.changes import Deployed, Release
from delivery.review.look_at_features import feature_points
from delivery.review.manifest_changes import running_changes
from delivery.review.markdown import code, count
from delivery.review.stage_review import StageReview

_MAJOR = re.compile(r"v?(\d+)(?:\.\d|$)")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a stage alone does not show.

    Attributes:
        base: What the change is compared with, as the user wrote it.
        releases: The releases of all stages.
        files: The files that differ, relative to the project.
        runs_in: The stages that run a model, by model.
        newer: How many commits of the base touch the stage and are not in this change, by stage.
        locked: The stages with an update that is running or was killed.
        gone: The stages whose stack file is removed.
    """

    base: str
    releases: Sequence[Release]
    files: Sequence[str]
    runs_in: dict[str, tuple[str, ...]]
    newer: dict[str, int]
    locked: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()


def look_at(review: StageReview, around: Surroundings) -> tuple[str, ...]:
    """The points for a reviewer of a stage as Markdown, the most serious first."""
    return (
        *_removed(review),
        *feature_points(review),
        *_secrets(review),
        *_unexplained(review),
        *_beside(review, around),
        *(point for release in review.releases for point in _release(release)),
        *_registries(review),
        *(f"{code(model)} {said}" for model, said in review.rollouts.items()),
        *_running(review),
        *_shared(review, around),
    )


def _removed(review: StageReview) -> Iterator[str]:
    for model in review.removed_models:
        gone = sum(step.operation == "delete" for step in review.preview.steps if step.object.name == model)
        yield f"**{code(model)} is removed from the stage**, with {count(gone, 'object')} of its name"


def _secrets(review: StageReview) -> Iterator[str]:
    for secret in review.secrets:
        yield f"the Secret {code(secret)} is newly required, and nothing here creates it: it must exist in the cluster"


def _unexplained(review: StageReview) -> Iterator[str]:
    if steps := review.unexplained:
        listed = ", ".join(code(step.object) for step in steps[:5]) + (", …" if len(steps) > 5 else "")  # noqa: PLR2004
        yield (
            f"{count(len(steps), 'step')} that no file of this change explains: the cluster differs from the base "
            f"commit, by hand, by a failed deployment or by a newer one: {listed}"
        )


def _beside(review: StageReview, around: Surroundings) -> Iterator[str]:
    if number := around.newer.get(review.stage, 0):
        yield (
            f"{code(around.base)} has {count(number, 'newer commit')} that this change does not contain and that touch "
            "this stage: what is deployed after the merge is not exactly this. Rebase or merge it first"
        )
    if review.stage in around.locked:
        yield (
            "the stack is locked: an update is running, or was killed. The preview may show a partial update; "
            f"{code(f'pulumi cancel --stack {review.stage}')} releases the lock of a killed one"
        )
    for stage in around.gone:
        yield (
            f"{code(f'Pulumi.{stage}.yaml')} is removed: nothing deletes what the stage runs. "
            f"Run {code(f'pulumi destroy --stack {stage}')} from the base commit first"
        )
    if review.releases and (others := {r.stage for r in around.releases} - {review.stage}):
        yield f"one merge changes this stage and {', '.join(map(code, sorted(others)))}: nothing runs in one first"


def _release(release: Release) -> Iterator[str]:
    old, new, model = release.before, release.after, code(release.model)
    if new is None:
        return
    if old is None:
        yield f"{model} is new in this stage"
        return
    yield from (f"{model} {point}" for point in _version(old, new))
    if old.version != new.version and old.replicas != new.replicas:
        yield f"{model} changes its version and its replicas at once: a fault has two possible causes"
    if new.replicas == 0 and old.replicas:
        yield f"**{model} goes to 0 replicas and serves no requests**"
    if release.other_fields:
        yield f"{model} changes other fields in the stack file: {', '.join(map(code, release.other_fields))}"


def _version(old: Deployed, new: Deployed) -> Iterator[str]:
    if old.version == new.version:
        if old.digest != new.digest:
            yield "keeps its version and gets another digest: the tag was moved, or the digest was wrong"
        return
    if goes_back(old.version, new.version):
        yield f"goes back from {code(old.version)} to {code(new.version)}"
        return
    before, after = (_MAJOR.match(version) for version in (old.version, new.version))
    if before and after and int(after[1]) > int(before[1]):
        yield f"jumps a major version, from {code(old.version)} to {code(new.version)}"


def _registries(review: StageReview) -> Iterator[str]:
    for model, facts in review.facts.items():
        for said in (*(problem for problem in facts.problems if not problem.known), *facts.notes):
            yield f"{code(model)} in the registries: {code(said)}"


def _running(review: StageReview) -> Iterator[str]:
    for change in review.changes:
        if parts := running_changes(change):
            yield f"{code(change.object)} changes its {', '.join(map(code, parts))}"


def _shared(review: StageReview, around: Surroundings) -> Iterator[str]:
    by_model: dict[str, list[str]] = defaultdict(list)
    for file in around.files:
        path = PurePosixPath(file)
        if path.parts[0] == MODELS:
            by_model[path.stem].append(file)
    for model, files in by_model.items():
        others = sorted({*around.runs_in.get(model, ())} - {review.stage})
        if review.stage in around.runs_in.get(model, ()) and others:
            yield f"{code(files[0])} is changed, which {', '.join(map(code, others))} reads too"
    if program := [file for file in around.files if PurePosixPath(file).parts[0] in PROGRAM]:
        yield f"the program itself is changed, for every stage: {count(len(program), 'file')}, {code(program[0])} first"
