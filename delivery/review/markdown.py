"""Markdown in which everything from the repository is plain text."""

import re
from collections.abc import Iterable, Sequence

from components.visible import in_line, visible

LONGEST_VALUE = 600
# Whatever Markdown, GitHub's extensions or HTML could read as markup becomes a numeric reference.
_SIGN = re.compile(r"[^\w \-./:,=+]|_|:(?=//)|(?<=[wW]{3})\.")
_SPACE = re.compile(r"\s+")
_RUN = re.compile(r"`+")
_SHORTEST_FENCE = 3


def code(value: object) -> str:
    """A value as code in one line, usable in a table. Long ones are cut at LONGEST_VALUE characters.

    References keep a value inert where a code span would not: a span ends at a backtick and a cell at a bar. In
    `<code>`, GitHub does not search for mentions, issues and emoji either.
    """
    text = in_line(_SPACE.sub(" ", str(value)).strip())
    if len(text) > LONGEST_VALUE:
        text = f"{text[:LONGEST_VALUE]}…"
    return f"<code>{_SIGN.sub(lambda match: f'&#{ord(match[0])};', text)}</code>" if text else "-"


def change(before: object | None, after: object | None) -> str:
    """`old → new`, or the value alone where both are the same; a dash for none."""
    if before == after:
        return "-" if after is None else code(after)
    return " → ".join("-" if value is None else code(value) for value in (before, after))


def fence(text: str, language: str) -> str:
    """A fenced block whose fence is longer than any in the text."""
    # A lone carriage return ends a line for Markdown, and a fence is at the start of one.
    plain = visible(text)
    longest = max((len(run) for run in _RUN.findall(plain)), default=0)
    mark = "`" * max(_SHORTEST_FENCE, longest + 1)
    return f"{mark}{language}\n{plain}\n{mark}"


def table_head(columns: Sequence[str]) -> str:
    """The two lines above a table's rows."""
    return f"{row(columns)}\n{row('---' for _ in columns)}"


def row(cells: Iterable[str]) -> str:
    """One line of a table; the cells are Markdown already."""
    return f"| {' | '.join(cells)} |"


def count(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
