"""What a change does to what guards a stage, as lines for the top of the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from delivery.review.markdown import code

# A value that replaces another, and one alone.
_LONGEST_SIDE, LONGEST_ALONE = 160, 400
_SHOWN_BEFORE = 40


@dataclass(frozen=True, kw_only=True)
class SafetyChange:
    """One value that guards a stage, in two commits.

    Attributes:
        what: What it is, like `requireDigest`, or `Deployment ml-staging/a: containers[a].image`.
        before: Its value in the base commit; None where it has none.
        after: Its value in this commit; None where it has none.
        weakens: True where the change stops the merge until someone accepts it.
    """

    what: str
    before: str | None = None
    after: str | None = None
    weakens: bool = False

    def __str__(self) -> str:
        """As plain text in one line, with the values cut around where they differ."""
        if self.before is None and self.after is None:
            return self.what
        before, after = self._sides()
        return f"{self.what}: {before} → {after}"

    @property
    def line(self) -> str:
        """A line of a list, as Markdown."""
        weakens = "**weakens**: " if self.weakens else ""
        if self.before is None and self.after is None:
            return f"- {weakens}{code(self.what)}"
        before, after = self._sides()
        return f"- {weakens}{code(self.what)}: {code(before)} → {code(after)}"

    def _sides(self) -> tuple[str, str]:
        """Both values, each short enough for a line, and cut so that the first difference is visible."""
        before, after = self.before, self.after
        if before is None or after is None:
            return _alone(before), _alone(after)
        same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        start = max(0, same - _SHOWN_BEFORE) if max(len(before), len(after)) > _LONGEST_SIDE else 0
        return _cut(before, start, _LONGEST_SIDE), _cut(after, start, _LONGEST_SIDE)


def _alone(value: str | None) -> str:
    return "-" if value is None else _cut(value, 0, LONGEST_ALONE)


def _cut(text: str, start: int, longest: int) -> str:
    end = start + longest
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def ordered(changes: Iterable[SafetyChange]) -> tuple[SafetyChange, ...]:
    """What weakens first; otherwise in the given order."""
    return tuple(sorted(dict.fromkeys(changes), key=lambda change: not change.weakens))
