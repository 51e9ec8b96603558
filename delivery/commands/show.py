"""`python -m delivery show`."""

from typing import Annotated

import typer

from components.files.sources import Sources
from components.stack import load_stack
from delivery.checking.show import stage_lines
from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.output import listed, problems


def show(
    stage: Stage,
    model: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    project: Project = HERE,
) -> None:
    """Print the effective configuration, with the place each value came from."""
    known_stage(project, stage)
    with problems():
        loaded = load_stack(Sources.of(project), stage)
    names = [m.name for m in loaded.settings.models]
    if model is not None and model not in names:
        raise typer.BadParameter(
            f"{model} does not run in {stage}; its models are {listed(names)}",
            param_hint="MODEL",
        )
    typer.echo("\n".join(stage_lines(loaded, model)))
