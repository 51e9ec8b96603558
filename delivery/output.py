"""What the user sees: problems, tables, and lists of names. Every command line of the project prints through it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from components.errors import UserError
from components.visible import in_line, visible

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


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print a text to standard output, or to standard error, with every character visible.

    Whatever is printed goes through here or `print_table`: texts come from files, commits, clusters and servers.
    """
    typer.echo(f"{visible(text)}{end}", err=err, nl=False)


def fail(error: UserError) -> NoReturn:
    """Show an error and end with exit code 1."""
    say(str(error), err=True)
    raise typer.Exit(1) from None


def print_table(
    columns: Iterable[str], rows: Iterable[Iterable[str]], *, title: str = "", lines: bool = False
) -> None:
    """Print a table to standard output; in a log at full width, since a truncated name cannot be searched for.

    Args:
        columns: The column titles.
        rows: Untrusted texts: markup is printed as it is written, and every character is visible.
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
        table.add_row(*(Text("\n".join(map(in_line, cell.split("\n")))) for cell in row))
    screen = Console()
    # A table is as wide as what is in it, however wide the screen.
    (screen if screen.is_terminal else Console(width=_LONGEST_LINE)).print(table)


def listed(names: Iterable[str]) -> str:
    """Names in their order, each once."""
    return ", ".join(sorted(set(names))) or "none"


def counted(number: int, what: str) -> str:
    """`1 difference`, `2 differences`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
