"""How each model's version came to be what a stack file says, from git alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from delivery.errors import DeliveryError
from delivery.git import Commit, Repository
from delivery.releases import Entries, deployed, entries, entries_at
from policy.rules.version_order import VersionChange, is_revert

SHORT = 12


class UnknownHistoryError(DeliveryError):
    """Git cannot tell how versions changed; the message says why. `known` holds what it could tell."""

    def __init__(self, message: str, known: list[VersionChange]) -> None:
        super().__init__(message)
        self.known = known


def last_changes(project: Path, stage: str) -> list[VersionChange]:
    """The last change of the version of each model that a stage's stack file names, by model.

    A model that never had another version is left out. What is not committed yet counts as the last change.

    Raises:
        UnknownHistoryError: there is no git, no commit or no repository, or the clone lacks the commits that would
            tell; it holds what could be told.
    """
    try:
        repository = Repository(project)
        commits = _commits(repository, stage)
    except DeliveryError as error:
        raise UnknownHistoryError(str(error), []) from None
    file = f"Pulumi.{stage}.yaml"
    wanted = entries((repository.project / file).read_text(encoding="utf-8"), file)
    changes, open_models = {}, set(wanted)
    for commit, old, new in _steps(repository, stage, wanted, commits):
        for name in sorted(open_models):
            before, after = _version(old.get(name)), _version(new.get(name))
            if before == after:
                continue
            open_models.discard(name)
            if before and after:
                changes[name] = _change(name, before, after, commit)
        if not open_models:
            break
    found = [changes[name] for name in sorted(changes)]
    if open_models and repository.shallow:
        raise UnknownHistoryError(
            f"this clone is shallow and lacks the last change of {', '.join(sorted(open_models))}. "
            "Fix: `git fetch --unshallow`",
            found,
        )
    return found


def _commits(repository: Repository, stage: str) -> list[Commit]:
    """Those that changed the stack file, the newest first.

    Raises:
        DeliveryError: the repository has no commit.
    """
    repository.resolve("HEAD")
    return repository.log("HEAD", "--", f"Pulumi.{stage}.yaml")


def _steps(
    repository: Repository, stage: str, wanted: Entries, commits: list[Commit]
) -> Iterator[tuple[Commit | None, Entries, Entries]]:
    """Each change of the stack file with the entries before and after it, the newest first.

    The oldest commit of a shallow clone looks as if it had made every file; it tells nothing and is left out.
    """
    known: dict[str, Entries] = {}

    def at(revision: str) -> Entries:
        if revision not in known:
            known[revision] = entries_at(repository, revision, stage)
        return known[revision]

    yield None, at(commits[0].revision) if commits else {}, wanted
    shallow = repository.shallow
    for commit in commits:
        if commit.parents:
            yield commit, at(commit.parents[0]), at(commit.revision)
        elif not shallow:
            yield commit, {}, at(commit.revision)


def _change(model: str, before: str, after: str, commit: Commit | None) -> VersionChange:
    return VersionChange(
        model=model,
        before=before,
        after=after,
        commit=commit.revision[:SHORT] if commit else None,
        reverts=commit is not None and is_revert(commit.body, commit.trailers),
    )


def _version(entry: Mapping[str, Any] | None) -> str | None:
    found = deployed(entry)
    return found.version if found else None
