"""`python -m delivery features-plan`."""

from pathlib import Path
from typing import Annotated

import typer

from components.stack_files import load_stack
from delivery.commands.common import HERE, Project, Stage, known_stage, problems
from delivery.feature_plan import FEAST_PYTHON, feature_plan
from delivery.review.feature_changes import features_block


def features_plan(
    stage: Stage,
    python: Annotated[
        Path, typer.Option("--python", help="The Python of an environment with Feast.")
    ] = FEAST_PYTHON,
    project: Project = HERE,
) -> None:
    """Print what the commit's feature definitions change in the stage's registry, as Markdown."""
    known_stage(project, stage)
    with problems():
        block = features_block(
            feature_plan(project, load_stack(project, stage).settings, python), stage, "###"
        )
    typer.echo(block.text("", block.items))
