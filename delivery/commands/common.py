"""What the commands share: their common arguments, and how they tell a problem."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from components.files.problems import SettingsError
from components.loading.model_files import definition_files
from components.loading.stack_files import stages
from delivery.errors import DeliveryError
from delivery.git.repository import Repository
from delivery.releases.changes import stages_at
from delivery.rendering.program import ProgramError

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


def known_stage(project: Path, stage: str, revision: str | None = None, hint: str = "STAGE") -> None:
    """Refuse a stage that has a stack file neither in the project nor at a commit, as wrong usage.

    Args:
        project: The checkout.
        stage: What the user wrote.
        revision: The commit that is looked at; None where it is the files. One that is not there is no matter here.
        hint: What the usage calls it.
    """
    known = {*stages(project), *(() if revision is None else _stages_at(project, revision))}
    if stage not in known:
        raise typer.BadParameter(
            f"Pulumi.{stage}.yaml does not exist; the stages are {listed(known)}", param_hint=hint
        )


def known_model(project: Path, model: str, more: Iterable[str] = ()) -> None:
    """Refuse a model without a model file, as wrong usage; `more` are models of the past."""
    known = {*definition_files(project, []), *more}
    if model not in known:
        raise typer.BadParameter(
            f"models/{model}.yaml does not exist; the models are {listed(known)}", param_hint="MODEL"
        )


def listed(names: Iterable[str]) -> str:
    """Names in their order, each once."""
    return ", ".join(sorted(set(names))) or "none"


def _stages_at(project: Path, revision: str) -> tuple[str, ...]:
    try:
        repository = Repository(project)
        return stages_at(repository, repository.resolve(revision))
    except DeliveryError:
        # The command itself tells what is wrong with the repository or the commit.
        return ()


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
