"""What the user sees: problems, tables, and lists of names. Every command line of the project prints through it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from components.errors import UserError

_LONGEST_LINE = 10_000


@contextmanager
def problems() -> Iterator[None]:
    """Show what the user can repair without a traceback, and end with exit code 1.

    So are files that cannot be read or written.
    """
    try:
        yield
    except UserError as error:
        fail(error)
    except OSError as error:
        if error.filename is None:
            raise
        fail(UserError(f"{error.filename}: {error.strerror}", "name another file or folder"))


def fail(error: UserError) -> NoReturn:
    """Show an error and end with exit code 1."""
    typer.echo(str(error), err=True)
    raise typer.Exit(1) from None


def print_table(
    columns: Iterable[str], rows: Iterable[Iterable[str]], *, title: str = "", lines: bool = False
) -> None:
    """Print a table to standard output; in a log at full width, since a truncated name cannot be searched for.

    Args:
        columns: The column titles.
        rows: Untrusted texts: markup and control characters are printed as they are written.
        title: The title above the table.
        lines: Draw a line between rows.
    """
    # A command that prints no table starts without it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title or None, show_lines=lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("\n".join(map(visible, cell.split("\n")))) for cell in row))
    screen = Console()
    # A table is as wide as what is in it, however wide the screen.
    (screen if screen.is_terminal else Console(width=_LONGEST_LINE)).print(table)


def visible(text: str) -> str:
    """A text without control characters, which could move a terminal's cursor."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def listed(names: Iterable[str]) -> str:
    """Names in their order, each once."""
    return ", ".join(sorted(set(names))) or "none"


def counted(number: int, what: str) -> str:
    """`1 difference`, `2 differences`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
