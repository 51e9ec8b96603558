"""Who released what, where and when, from git alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from delivery.git.commits import Commit
from delivery.git.repository import Repository
from delivery.git.reverts import reverted
from delivery.history.moves import Move
from delivery.history.stack_log import StackCommit, StackLog
from delivery.releases.changes import Deployed, deployed
from delivery.releases.deployments import Deployment, deployments

Key = tuple[str, str]


class ChangeKind(StrEnum):
    """What a change did, by the most important thing it changed."""

    ADDED = "added"
    OLDEST_KNOWN = "oldestKnown"
    REMOVED = "removed"
    VERSION = "version"
    DIGEST = "digest"
    REPLICAS = "replicas"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one model's version, digest or number of replicas in one stage; None where it does not run.

    Attributes:
        commit: Who changed it, and why. For a merge: the commit on the side branch.
        merge: The merge that brought it to the branch; None where the commit was made on the branch.
        when: When it reached the branch, as ISO 8601; None where git has a time that no calendar has.
        position: The number of commits below it on the branch.
        oldest_known: True where a shallow clone ends: this is what ran then, and not when it was released.
        deployments: The tags of its deployments, the oldest first.
        reverts: The commit it reverts, as far as its message says.
        reapplies: The commit that it restores, where it reverts a revert.
        reverted_by: The commit that reverted it.
        gate: The figures of the gate it passed, from the message's trailers.
        run: The training run, from the trailers.
        reason: Why a rule was overridden, from the trailers.
        file: The stage's stack file then, from the top of the repository.
    """

    stage: str
    model: str
    before: Deployed | None
    after: Deployed | None
    commit: Commit
    merge: Commit | None
    when: str | None
    position: int
    oldest_known: bool
    file: str
    deployments: tuple[Deployment, ...] = ()
    reverts: str | None = None
    reapplies: str | None = None
    reverted_by: str | None = None
    gate: str | None = None
    run: str | None = None
    reason: str | None = None

    @property
    def kind(self) -> ChangeKind:
        """What it did."""
        if self.before is None:
            return ChangeKind.OLDEST_KNOWN if self.oldest_known else ChangeKind.ADDED
        if self.after is None:
            return ChangeKind.REMOVED
        if self.version_changed:
            return ChangeKind.VERSION
        return ChangeKind.DIGEST if self.released else ChangeKind.REPLICAS

    @property
    def released(self) -> bool:
        """True when the image changes or is removed: not for replicas alone."""
        old, new = self.before, self.after
        return (old and (old.version, old.digest)) != (new and (new.version, new.digest))

    @property
    def version_changed(self) -> bool:
        """True for a new model, a removed one and another version."""
        return (self.before and self.before.version) != (self.after and self.after.version)


@dataclass(frozen=True, kw_only=True)
class History:
    """Every change of a branch, the newest first.

    Attributes:
        head: The commit it was read at.
        shallow: True when the clone lacks older commits.
        moves: Where stack files were before, as far as they were followed.
        replaced: True where the clone replaces commits by others (`git replace`), which is not followed.
        elsewhere: Deployments of commits that the branch does not hold: it was rewritten, or another was deployed.
    """

    head: str
    shallow: bool
    changes: tuple[Change, ...]
    elsewhere: tuple[Deployment, ...]
    moves: tuple[Move, ...] = ()
    replaced: bool = False

    def only(self, model: str | None, stage: str | None) -> "History":
        """The changes of one model, one stage, or both; None means all of them."""
        return replace(
            self,
            changes=tuple(c for c in self.changes if _is(c, model, stage)),
            elsewhere=tuple(d for d in self.elsewhere if _is(d, model, stage)),
            moves=tuple(move for move in self.moves if stage in {None, move.stage}),
        )

    def previous_version(self, stage: str, model: str, version: str) -> str | None:
        """The version that a stage's file named before it named this one; None when git knows none."""
        own = self.only(model, stage).changes
        named = (found.version for change in own for found in (change.after, change.before) if found)
        return next((other for other in named if other != version), None)

    def cut(self, stage: str, model: str) -> bool:
        """True where the clone is shallow and lacks what a model's first known version replaced in a stage."""
        return any(change.oldest_known for change in self.only(model, stage).changes)

    def running(self) -> list[Change]:
        """The release that each model of each stage runs, by model and stage."""
        newest: dict[Key, Change] = {}
        gone: set[Key] = set()
        now: dict[Key, Deployed] = {}
        for change in self.changes:
            key = (change.model, change.stage)
            if change.after is None and key not in now:
                gone.add(key)
            if change.after is not None:
                now.setdefault(key, change.after)
            if change.version_changed or change.oldest_known:
                newest.setdefault(key, change)
        return [replace(newest[key], after=now[key]) for key in sorted(newest) if key not in gone]


def history(repository: Repository) -> History:
    """Every change of a version, a digest or a number of replicas on the branch that is checked out.

    Raises:
        UserError: there is no commit yet, or git failed.
    """
    log = StackLog(repository)
    found = _with_reverts(list(_changes(log)))
    tags = [replace(d, stage=log.stage_named(d.stage, d.commit)) for d in deployments(repository)]
    return History(
        head=log.head,
        shallow=repository.shallow,
        changes=tuple(_with_deployments(found, tags, log.entered)),
        elsewhere=tuple(d for d in tags if d.commit not in log.entered),
        moves=log.moves,
        replaced=bool(repository.git("for-each-ref", "--count=1", "refs/replace/")),
    )


def _changes(log: StackLog) -> Iterator[Change]:
    for each in log.commits:
        for key, file, before, after in _differences(log, each):
            source = _source(log, each, key, after)
            stage, model = key
            trailers = source.trailers if source.trailers.get("Model") == model else {}
            trailers = trailers if trailers.get("To", stage) == stage else {}
            yield Change(
                stage=stage,
                model=model,
                before=before,
                after=after,
                commit=source,
                merge=each.commit if source is not each.commit else None,
                when=each.commit.when,
                position=log.entered[each.commit.revision],
                oldest_known=each.oldest_known,
                file=file,
                gate=trailers.get("Gate"),
                run=trailers.get("Run"),
                reason=trailers.get("Reason"),
            )


def _differences(
    log: StackLog, each: StackCommit
) -> Iterator[tuple[Key, str, Deployed | None, Deployed | None]]:
    for file in each.files:
        old, new = log.entries(file.stage, file.before), log.entries(file.stage, file.after)
        for model in sorted({*old, *new}):
            entries = old.get(model), new.get(model)
            # Most entries are one object, since equal texts are read once.
            if entries[0] is entries[1]:
                continue
            before, after = (deployed(entry) for entry in entries)
            if before != after:
                yield (file.stage, model), file.path, before, after


def _source(log: StackLog, merge: StackCommit, key: Key, after: Deployed | None) -> Commit:
    """The commit with which a merge brought in a change; the merge itself where no side commit has the same change."""
    sides = [
        (side.commit, result)
        for side in merge.sources
        for changed, _, _, result in _differences(log, side)
        if changed == key
    ]
    version = after and after.version
    same_version = (commit for commit, result in sides if (result and result.version) == version)
    exact = (commit for commit, result in sides if result == after)
    return next(exact, None) or next(same_version, merge.commit)


def _with_reverts(changes: Sequence[Change]) -> list[Change]:
    """Adds what each change reverts or restores, and what reverted it."""
    of = {(revision, c.stage, c.model): c for c in changes for revision in _revisions(c)}
    known = {revision for revision, _, _ in of}
    reverts: dict[int, str] = {}
    reverted_by: dict[int, str] = {}
    for change in reversed(changes):
        for named in _named(change.commit, known):
            target = of.get((named, change.stage, change.model))
            # A known commit that did not change this model is not what this change reverts.
            if target is not None or named not in known:
                reverts[id(change)] = named
            if target is not None:
                reverted_by[id(target)] = change.commit.revision
    result = []
    for change in changes:
        named = reverts.get(id(change), "")
        target = of.get((named, change.stage, change.model))
        result.append(
            replace(
                change,
                reverts=named or None,
                reapplies=reverts.get(id(target)) if target is not None else None,
                reverted_by=reverted_by.get(id(change)),
            )
        )
    return result


def _named(commit: Commit, known: set[str]) -> Iterator[str]:
    """The commits that a message says it reverts, all digits where they are known."""
    for digits in reverted(commit.body, commit.trailers):
        full = [digits] if digits in known else [r for r in known if r.startswith(digits)]
        yield full[0] if len(full) == 1 else digits


def _revisions(change: Change) -> Iterator[str]:
    yield change.commit.revision
    if change.merge is not None:
        yield change.merge.revision


def _with_deployments(
    changes: Sequence[Change], tags: Sequence[Deployment], entered: Mapping[str, int]
) -> Iterator[Change]:
    """Adds to each release the deployments of commits from it up to the next release of the same model."""
    of_model: dict[Key, list[Deployment]] = defaultdict(list)
    for tag in tags:
        of_model[tag.stage, tag.model].append(tag)
    following: dict[Key, int] = {}
    for change in changes:
        key = (change.stage, change.model)
        if not change.released or change.after is None:
            yield change
        else:
            until = following.get(key, len(entered))
            yield replace(
                change,
                deployments=tuple(
                    tag
                    for tag in of_model[key]
                    if change.position <= entered.get(tag.commit, -1) < until
                    and tag.version == change.after.version
                    and (tag.digest or change.after.digest) == change.after.digest
                ),
            )
        if change.released:
            following[key] = change.position


def _is(found: Change | Deployment, model: str | None, stage: str | None) -> bool:
    return model in {None, found.model} and stage in {None, found.stage}
