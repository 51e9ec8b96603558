"""The history in words, for people: the table of the terminal, and the cells that the page shows too."""

from collections.abc import Iterator

from components.errors import Problem
from delivery.history.model_history import Change, ChangeKind, History
from delivery.releases.changes import Deployed

COLUMNS = ("when", "stage", "model", "change", "by", "commit", "deployed", "notes")
_DIGITS = 10
_DIGEST_DIGITS = 12


def history_rows(history: History) -> Iterator[tuple[str, ...]]:
    """A row for each change, the newest first."""
    for change in history.changes:
        yield (
            day(change.when),
            change.stage,
            change.model,
            change_text(change),
            name(change.commit.author),
            change.commit.revision[:_DIGITS],
            day(deployed_at(change)),
            "; ".join(remarks(change)),
        )


def history_notes(history: History) -> list[str]:
    """What the table cannot show, a line each."""
    found = []
    if history.shallow:
        found.append(
            str(Problem("This clone is shallow: older history is missing", "`git fetch --unshallow`"))
        )
    if history.replaced:
        found.append(
            "This clone replaces commits by others (`git replace --list`). That is not followed: a commit is what its "
            "digits say, as for everyone who clones the repository"
        )
    found += [
        f"{move.stage}: the stack file was {move.old} before {move.commit[:_DIGITS]}; its history goes on there"
        for move in history.moves
    ]
    found += [
        f"{deployment.name} was deployed {day(deployment.when)} from {deployment.commit[:_DIGITS]}, "
        "which this branch does not contain"
        for deployment in history.elsewhere
    ]
    return found


def change_text(change: Change) -> str:
    """What changed, like `v1.2.0 to v1.3.0` or `replicas 2 to 3`."""
    before, after = change.before, change.after
    match change.kind:
        case ChangeKind.ADDED:
            return f"added at {_version(after)}"
        case ChangeKind.OLDEST_KNOWN:
            return f"{_version(after)} or earlier"
        case ChangeKind.REMOVED:
            return f"removed, was {_version(before)}"
        case ChangeKind.VERSION:
            return f"{_version(before)} to {_version(after)}"
        case ChangeKind.DIGEST:
            return f"digest {short_digest(before)} to {short_digest(after)}"
        case ChangeKind.REPLICAS:
            return f"replicas {before and before.replicas} to {after and after.replicas}"


def remarks(change: Change) -> list[str]:
    """The notes: reverts, the merge, the gate, the reason."""
    found = []
    if change.reapplies:
        found.append(f"brings back {change.reapplies[:_DIGITS]}")
    elif change.reverts:
        found.append(f"reverts {change.reverts[:_DIGITS]}")
    if change.reverted_by:
        found.append(f"reverted by {change.reverted_by[:_DIGITS]}")
    if change.merge is not None:
        found.append(f"merged by {change.merge.revision[:_DIGITS]}")
    if change.gate:
        found.append(f"gate {change.gate}")
    if change.reason:
        found.append(f"reason: {change.reason}")
    return found


def deployed_at(change: Change) -> str | None:
    """When it was first deployed; None where no tag says so."""
    return next((deployment.when for deployment in change.deployments), None)


def short_digest(found: Deployed | None) -> str:
    """The first digits of a digest."""
    digest = found.digest if found else None
    return digest.removeprefix("sha256:")[:_DIGEST_DIGITS] if digest else "none"


def day(when: str | None) -> str:
    """A time as it is written in git, without seconds: `2026-11-24 14:36 +01:00`; `-` without one."""
    return "-" if when is None else f"{when[:10]} {when[11:16]} {when[19:].replace('Z', '+00:00')}"


def name(author: str) -> str:
    """An author without the address."""
    return author.rpartition(" <")[0] or author


def _version(found: Deployed | None) -> str:
    return found.version if found else "nothing"
