"""`python -m delivery render`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project, Stage, known_stage, problems
from delivery.render import render as run_render


def render(
    stage: Stage,
    output: Annotated[Path, typer.Option("--output", help="The folder to write.", file_okay=False)],
    project: Project = HERE,
) -> None:
    """Write what the program would deploy as Kubernetes manifests, one file an object."""
    known_stage(project, stage)
    with problems():
        paths = run_render(project, stage, output)
    typer.echo(f"{len(paths)} objects of {stage} written to {output}")
