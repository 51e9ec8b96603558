"""`python -m delivery rollback`."""

from typing import Annotated

import typer

from delivery.branches import push_hint, refuse_edited
from delivery.commands.common import HERE, Model, Project, known_stage, problems
from delivery.git import Repository
from delivery.rollback import keep
from delivery.rollback import rollback as run_rollback


def rollback(
    model: Model,
    stage: Annotated[str, typer.Option("--stage", help="The stage to roll back.")],
    commit: Annotated[
        bool,
        typer.Option("--commit", help="Put the revert on a branch of its own; the checkout stays as it is."),
    ] = False,
    project: Project = HERE,
) -> None:
    """Revert the commit that gave a model its version in a stage, and refuse if that would undo anything else."""
    known_stage(project, stage)
    with problems():
        repository = Repository(project)
        if commit:
            refuse_edited(repository, f"Pulumi.{stage}.yaml")
        made = run_rollback(repository, model, stage)
        if commit:
            keep(repository, made)
    typer.echo(made.diff)
    what = f"{model} in {stage} from {made.before.version} back to {made.after.version}"
    if commit:
        typer.echo(
            f"Committed {made.commit[:10]} on the branch {made.branch}: it reverts "
            f"{made.undone[:10]}, which takes {what}.\n"
            f"The checkout is as it was. Next: {push_hint(repository, made.branch)}"
        )
    else:
        typer.echo(
            f"Reverting {made.undone[:10]} takes {what}. Nothing was changed; --commit makes the commit"
        )
