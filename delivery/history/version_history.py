"""The last change of each model's version in a stack file, from git alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.errors import Problem, UserError
from components.files.sources import Sources
from delivery.git.repository import Repository
from delivery.git.reverts import is_revert
from delivery.history.model_history import Change, history
from delivery.policies.version_order import VersionChange
from delivery.releases.changes import deployed, entries

SHORT = 12


def last_changes(project: Path, stage: str) -> tuple[list[VersionChange], tuple[Problem, ...]]:
    """The last change of the version of each model that a stage's stack file names, by model.

    A model that never had another version is left out. What is not committed yet counts as the last change.

    Returns:
        The changes that are known, and why others are not: there is no git, no commit or no repository, or the clone
        lacks the commits.
    """
    try:
        repository = Repository(project)
        past = history(repository).only(None, stage)
    except UserError as error:
        return [], error.problems
    file = f"Pulumi.{stage}.yaml"
    wanted = entries(Sources.of(repository.project).text(file), file)
    newest: dict[str, Change] = {}
    for change in past.changes:
        if change.version_changed:
            newest.setdefault(change.model, change)
    found, unknown = [], []
    for model, entry in sorted(wanted.items()):
        last, now = newest.get(model), _version(entry)
        ran = last.after.version if last and last.after else None
        if last is None or now is None or ran is None:
            continue
        if now != ran:
            found.append(VersionChange(model=model, before=ran, after=now, commit=None))
        elif last.oldest_known:
            unknown.append(model)
        elif last.before is not None:
            found.append(_committed(last, last.before.version, now))
    if not unknown:
        return found, ()
    reason = f"this clone is shallow and lacks the last change of {', '.join(unknown)}"
    return found, (Problem(reason, "`git fetch --unshallow`"),)


def _committed(change: Change, before: str, after: str) -> VersionChange:
    return VersionChange(
        model=change.model,
        before=before,
        after=after,
        commit=change.commit.revision[:SHORT],
        reverts=is_revert(change.commit.body, change.commit.trailers),
    )


def _version(entry: Mapping[str, Any]) -> str | None:
    found = deployed(entry)
    return found.version if found else None
