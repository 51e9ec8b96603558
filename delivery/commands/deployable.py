"""`python -m delivery deployable`."""

import typer

from delivery.commands.common import HERE, Project, Stage, known_stage
from delivery.output import problems
from delivery.releases.deployable import deployable as run_deployable


def deployable(stage: Stage, project: Project = HERE) -> None:
    """Refuse a checkout that must not be deployed to a stage: changed, older than what runs, or of another branch."""
    known_stage(project, stage)
    with problems():
        found = run_deployable(project, stage)
    before = f"after {found.deployed[:12]}" if found.deployed else "as the first one known"
    typer.echo(f"{found.commit[:12]} may be deployed to {stage}, {before}")
