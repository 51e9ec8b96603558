"""What a commit's message says that it reverts."""

import re
from collections.abc import Mapping

REVERTS = "Reverts"
# What `git revert` writes into the message.
_REVERT = re.compile(r"^This reverts commit ([0-9a-f]{7,64})", re.MULTILINE)


def reverted(body: str, trailers: Mapping[str, str]) -> list[str]:
    """The commits that a message says it reverts: in git's own sentence, or in a trailer `Reverts:`."""
    return [*_REVERT.findall(body), *([trailers[REVERTS]] if REVERTS in trailers else [])]


def is_revert(body: str, trailers: Mapping[str, str]) -> bool:
    """A commit whose message says that it reverts another."""
    return bool(reverted(body, trailers))
