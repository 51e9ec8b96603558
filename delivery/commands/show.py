"""`python -m delivery show`."""

from typing import Annotated

import typer

from components.files.sources import Sources
from components.settings.stack import StackConfig, StackSettings
from components.stack import load_stack
from delivery.checking.show import stage_lines
from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.output import listed, problems, say


def show(
    stage: Stage,
    model: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    has: Annotated[
        str | None,
        typer.Option(
            "--has",
            metavar="KEY",
            help="Print nothing: exit 0 if the stage has it, like featureStore, and 1 if not.",
        ),
    ] = None,
    project: Project = HERE,
) -> None:
    """Print the effective configuration, with the place each value came from."""
    known_stage(project, stage)
    with problems():
        loaded = load_stack(Sources.of(project), stage)
    if has is not None:
        raise typer.Exit(0 if _has(loaded.settings, has) else 1)
    names = [m.name for m in loaded.settings.models]
    if model is not None and model not in names:
        raise typer.BadParameter(
            f"{model} does not run in {stage}; its models are {listed(names)}",
            param_hint="MODEL",
        )
    say("\n".join(stage_lines(loaded, model)))


def _has(settings: StackSettings, key: str) -> bool:
    """True where a stage has what a key of its stack file says; a key that there is not is wrong usage."""
    names = {info.alias: name for name, info in StackConfig.model_fields.items()}
    if key not in names:
        raise typer.BadParameter(
            f"{key} is not a key; the keys are {listed(map(str, names))}", param_hint="--has"
        )
    return bool(getattr(settings, names[key]))
