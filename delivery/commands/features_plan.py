"""`python -m delivery features-plan`."""

from pathlib import Path
from typing import Annotated

import typer

from components.files.sources import Sources
from components.stack import load_stack
from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.features.feast import FEAST_PYTHON
from delivery.features.plan import FeaturePlan, feature_plan
from delivery.output import problems, say


def features_plan(
    stage: Stage,
    python: Annotated[
        Path, typer.Option("--python", help="The Python of an environment with Feast.")
    ] = FEAST_PYTHON,
    project: Project = HERE,
) -> None:
    """Print what the checkout's feature definitions would change in the stage's registry."""
    known_stage(project, stage)
    with problems():
        plan = feature_plan(project, load_stack(Sources.of(project), stage).settings, python)
    say(_text(plan, stage))


def _text(plan: FeaturePlan, stage: str) -> str:
    lines = [f"Features of {stage}", ""]
    if plan.first:
        lines += ["The registry is empty: this is the first time.", ""]
    for change in plan.changes:
        lines += [f"{change.change} {change.kind} {change.name}"]
        lines += [*(f"  {line}" for line in change.diff.splitlines()), ""]
    return "\n".join(lines).rstrip() if plan.changes else "\n".join([*lines, "No change."])
