"""What is wrong with a file, told so that its author can mend it at once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in one file.

    Attributes:
        file: Path relative to the project.
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        field: Dotted path of the field inside the file; empty for the whole file.
        value: The value as it is written in the file; None where there is none.
        line: Line in the file, from 1; None where there is none.
    """

    file: str
    reason: str
    fix: str
    field: str = ""
    value: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """One line: file and line, field and value, reason, fix."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        what = self.field if self.value is None else f"{self.field} = {self.value}"
        return ": ".join(part for part in (where, what, f"{self.reason}. Fix: {self.fix}") if part)


class SettingsError(Exception):
    """Every problem found in the files of a stack, in the order of file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.field, p.reason)))
        super().__init__(self.__str__())

    def __str__(self) -> str:
        """A headline with the count, then a line for each problem."""
        count = len(self.problems)
        headline = f"{count} problem{'' if count == 1 else 's'} found; nothing was changed."
        return "\n".join((headline, *(f"  {problem}" for problem in self.problems)))
