"""`python -m delivery gitops`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project
from delivery.gitops.generate import write
from delivery.output import problems, say


def gitops(
    output: Annotated[Path, typer.Option("--output", help="The folder to write.", file_okay=False)] = Path(
        "gitops"
    ),
    project: Project = HERE,
) -> None:
    """Write the objects by which Argo CD, Flux or the Pulumi operator follow each stage."""
    with problems():
        paths = write(project, output)
    for path in paths:
        say(str(path))
