"""The project's only error for users: what is wrong and what to do about it, as data until it is shown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

from components.visible import in_line, visible

# Characters of a part of a message: a value may be as long as its file.
_LONGEST_PART = 300
_LONGEST_SENTENCE = 3_000
_MOST_SHOWN = 100
# The user and password of an address. Over HTTP a user alone may be a token; elsewhere it is a name, like git@.
_CREDENTIALS = re.compile(
    r"(?:(?<=http://)|(?<=https://))[^\s/]+(?=@)|(?<=://)[^\s/@:]*:[^\s/]*(?=@)", re.IGNORECASE
)


def has_credentials(address: str) -> bool:
    """True for an address with what a message leaves out."""
    return _CREDENTIALS.search(address) is not None


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what its reader can do about it.

    Attributes:
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it, without a full stop.
        file: Path relative to the project; empty where it is not about a file.
        line: Line in the file, from 1; None where there is none.
        field: Dotted path of the field inside the file; empty for the whole file.
        value: The value as it is written in the file; None where there is none.
        said: The lines that another program printed about it; empty where `reason` says everything.
    """

    reason: str
    fix: str
    _: KW_ONLY
    file: str = ""
    line: int | None = None
    field: str = ""
    value: str | None = None
    said: str = ""

    def __str__(self) -> str:
        """File and line, field and value, reason and fix in one line, as far as what another program said is one.

        Characters that are not seen are written as they are in JSON, long values are cut, and credentials in an
        address are left out.
        """
        file, field = in_line(self.file, _LONGEST_PART), in_line(self.field, _LONGEST_PART)
        where = file if self.line is None else f"{file}:{self.line}"
        what = field if self.value is None else f"{field} = {in_line(self.value, _LONGEST_PART)}"
        text = ": ".join(part for part in (where, what, _sentence(self.reason)) if part)
        if self.said:
            text += f":\n{self.said}" if "\n" in self.said else f": {self.said.strip()}"
        fix = _sentence(self.fix)
        whole = f"{text}\nFix: {fix}" if "\n" in text else f"{text}. Fix: {fix}"
        return visible(_CREDENTIALS.sub("***", whole))


def _sentence(text: str) -> str:
    """A reason or a fix: cut in the middle, since its end says what to do."""
    if len(text) <= _LONGEST_SENTENCE:
        return text
    half = _LONGEST_SENTENCE // 2
    return f"{text[:half]} ... ({len(text)} characters) ... {text[-half:]}"


def _listed(problems: Sequence[Problem]) -> Iterator[str]:
    yield from map(str, problems[:_MOST_SHOWN])
    if len(problems) > _MOST_SHOWN:
        yield f"and {len(problems) - _MOST_SHOWN} more"


class UserError(Exception):
    """An error that stops the request, and that the user can repair.

    Every error that a user should see is one of these; anything else is a bug in the program.

    Attributes:
        problems: What is wrong: one problem, or every problem of the files.
    """

    problems: tuple[Problem, ...]

    def __init__(self, reason: str, fix: str, *, said: str = "") -> None:
        super().__init__(reason, fix)
        self.problems = (Problem(reason, fix, said=said),)

    @property
    def reason(self) -> str:
        """What is wrong, as a sentence without its full stop."""
        return self.problems[0].reason

    @property
    def fix(self) -> str:
        """What to do about it."""
        return self.problems[0].fix

    def __str__(self) -> str:
        """Each problem."""
        return "\n".join(_listed(self.problems))


class ProblemsError(UserError):
    """Several problems below a headline, which says what they prevent."""

    def __init__(self, headline: str, problems: Iterable[Problem]) -> None:
        self.problems, self._headline = tuple(problems), headline
        Exception.__init__(self, headline, self.problems)

    def __str__(self) -> str:
        """The headline, then a line for each of the first problems, and how many more there are."""
        return "\n".join((visible(self._headline), *(f"  {line}" for line in _listed(self.problems))))


class SettingsError(ProblemsError):
    """Every problem found in the files of a stack, in the order of file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.field, p.reason))
        super().__init__(
            f"{len(found)} problem{'' if len(found) == 1 else 's'} found; nothing was changed.", found
        )
        # The arguments with which another process creates it again.
        self.args = (self.problems,)
