"""A commit, and the fields by which `git log` prints it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# A message may contain anything but NUL.
FIELDS = ("%H", "%P", "%an <%ae>", "%cI", "%s", "%b", "%(trailers:only,unfold)")
LOG_FORMAT = "%x00".join(FIELDS) + "%x00"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit.

    Attributes:
        revision: All digits.
        parents: The revisions of its parents, the first one first.
        author: Name and address of the author.
        when: When it was committed, as ISO 8601 with the committer's offset; None where git has a time that no
            calendar has.
        subject: The first line of its message.
        body: The rest of its message.
        trailers: The `Key: value` lines at the end of the message; of equal keys the last.
    """

    revision: str
    parents: tuple[str, ...]
    author: str
    when: str | None
    subject: str
    body: str
    trailers: Mapping[str, str]


def commit_of(fields: Sequence[str]) -> Commit:
    """A commit from its fields in the order of `LOG_FORMAT`."""
    revision, parents, author, when, subject, body, trailers = fields[: len(FIELDS)]
    pairs = (line.partition(": ") for line in trailers.split("\n"))
    return Commit(
        revision=revision.strip("\n"),
        parents=tuple(parents.split()),
        author=author,
        when=_time(when),
        subject=subject,
        body=body.strip(),
        trailers={key: value for key, separator, value in pairs if separator},
    )


def _time(written: str) -> str | None:
    try:
        datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return written
