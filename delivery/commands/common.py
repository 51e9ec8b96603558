"""What the commands share: their common arguments, and how they tell a problem."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from components.problems import SettingsError
from components.stack_files import stages
from delivery.errors import DeliveryError
from delivery.program import ProgramError

_LONGEST_LINE = 10_000
HERE = Path()
Project = Annotated[
    Path,
    typer.Option("--project", help="The checkout to look at.", exists=True, file_okay=False),
]
Model = Annotated[str, typer.Argument(help="The model, as in models/<model>.yaml.")]
Stage = Annotated[str, typer.Argument(help="The stage, as in Pulumi.<stage>.yaml.")]


def remote_name(value: str | None) -> str | None:
    """Refuse what git would take for an option, as wrong usage."""
    if value is not None and value.startswith("-"):
        raise typer.BadParameter(f"{value} is no remote")
    return value


def known_stage(project: Path, stage: str) -> None:
    """Refuse a stage without a stack file, as wrong usage."""
    known = stages(project)
    if stage not in known:
        found = ", ".join(known) or "none"
        raise typer.BadParameter(
            f"Pulumi.{stage}.yaml does not exist; the stages are {found}", param_hint="STAGE"
        )


@contextmanager
def problems() -> Iterator[None]:
    """Problems are for the user: the message alone, and exit code 1. So are files that cannot be read or written."""
    try:
        yield
    except (SettingsError, ProgramError, DeliveryError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: {error.strerror}. Fix: name another file or folder", err=True)
        raise typer.Exit(1) from None


def print_table(table: Table) -> None:
    """Print a table to standard output; in a log as wide as it is, since a name that is cut cannot be searched for."""
    screen = Console()
    if not screen.is_terminal:
        options = screen.options.update(max_width=_LONGEST_LINE)
        screen = Console(width=screen.measure(table, options=options).maximum)
    screen.print(table)


def counted(number: int, what: str) -> str:
    """`1 difference`, `2 differences`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
