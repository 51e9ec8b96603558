"""A model's version goes forward, unless a revert lowers it."""

import re
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from components.errors import Problem
from delivery.git.reverts import REVERTS

_NUMBER = re.compile(r"(\d+)")
# A word like an abbreviated commit hash, which may be all digits, or look like a pre-release (`4a53829`). A word that
# begins with a day like 20260109 is a date.
_DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_HASH = re.compile(rf"(?<![0-9A-Za-z.])(?!{_DAY})[0-9a-f]{{7,}}(?![0-9A-Za-z.])")


@dataclass(frozen=True, kw_only=True)
class VersionChange:
    """The last change of a model's version in a stage.

    `commit` is the short revision that made it, None where it is not committed yet. `reverts` says that the commit is
    a revert.
    """

    model: str
    before: str
    after: str
    commit: str | None
    reverts: bool = False


def goes_back(before: str, after: str) -> bool | None:
    """True when a version is older than the one before it; None when the two have no order."""
    if _HASH.search(before) or _HASH.search(after):
        return None
    old, new = _version(before), _version(after)
    if old is not None and new is not None:
        return new < old
    # Such as dates and build numbers: the same text around other numbers.
    if _NUMBER.sub("0", before) != _NUMBER.sub("0", after):
        return None
    return _numbers(after) < _numbers(before)


def version_order(change: VersionChange) -> Problem | None:
    """A version that goes back without a revert."""
    if change.reverts or not goes_back(change.before, change.after):
        return None
    where = "a change that is not committed" if change.commit is None else f"commit {change.commit}"
    return Problem(
        f"{where} takes the version back from {change.before} to {change.after} and is not a revert",
        f"undo the release with `git revert`, or say what it undoes in a trailer `{REVERTS}: <commit>`",
    )


def not_judged(change: VersionChange) -> bool:
    """True when neither version is known to be the older one, so that the change is allowed without a check."""
    return not change.reverts and goes_back(change.before, change.after) is None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _NUMBER.findall(text)]
