"""The command line: `python -m delivery show|render|check|schema`.

Exit codes: 0 good, 1 problems found, 2 wrong usage.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from components.problems import SettingsError
from components.stack_files import load_stack, stages
from delivery.check import check as run_check
from delivery.program import ProgramError
from delivery.render import render as run_render
from delivery.schema import write_generated
from delivery.show import stage_lines

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Look at what the committed files deploy, without a cluster.",
)
Project = Annotated[
    Path,
    typer.Option("--project", help="The checkout to look at.", exists=True, file_okay=False),
]
Stage = Annotated[str, typer.Argument(help="The stage, as in Pulumi.<stage>.yaml.")]
_HERE = Path()
LOG_WIDTH = 120


@app.command()
def show(
    stage: Stage,
    model: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    project: Project = _HERE,
) -> None:
    """Print the effective configuration, with the place each value came from."""
    _known_stage(project, stage)
    with _problems():
        loaded = load_stack(project, stage)
    names = [m.name for m in loaded.settings.models]
    if model is not None and model not in names:
        raise typer.BadParameter(
            f"{model} does not run in {stage}; its models are {', '.join(names)}",
            param_hint="MODEL",
        )
    typer.echo("\n".join(stage_lines(loaded, model)))


@app.command()
def render(
    stage: Stage,
    output: Annotated[Path, typer.Option("--output", help="The folder to write.", file_okay=False)],
    project: Project = _HERE,
) -> None:
    """Write what the program would deploy as Kubernetes manifests, one file an object."""
    _known_stage(project, stage)
    with _problems():
        paths = run_render(project, stage, output)
    typer.echo(f"{len(paths)} objects of {stage} written to {output}")


@app.command()
def check(project: Project = _HERE) -> None:
    """Validate every stack file and every model file, and the rules and dashboards made of them."""
    report = run_check(project)
    if report.problems:
        typer.echo(str(SettingsError(report.problems)), err=True)
        raise typer.Exit(1)
    table = Table("stage", "namespace", "model", "version", "replicas", "rules", "alerts")
    for row in report.rows():
        table.add_row(*row)
    # A log has no width of its own.
    console = Console() if sys.stdout.isatty() else Console(width=LOG_WIDTH)
    console.print(table)
    for note in report.notes():
        typer.echo(note)


@app.command()
def schema(
    output: Annotated[Path, typer.Option("--output", help="The folder to write.")] = Path("docs"),
) -> None:
    """Write the JSON schemas that editors check the files with, and the reference of the settings."""
    for path in write_generated(output):
        typer.echo(str(path))


def _known_stage(project: Path, stage: str) -> None:
    known = stages(project)
    if stage not in known:
        found = ", ".join(known) or "none"
        raise typer.BadParameter(
            f"Pulumi.{stage}.yaml does not exist; the stages are {found}", param_hint="STAGE"
        )


@contextmanager
def _problems() -> Iterator[None]:
    """Problems are for the user: the message alone, and exit code 1."""
    try:
        yield
    except (SettingsError, ProgramError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
