"""`python -m delivery rollback`."""

from typing import Annotated

import typer

from delivery.commands.common import HERE, Model, Project, known_model, known_stage
from delivery.git.branches import push_hint, refuse_edited
from delivery.git.repository import Repository
from delivery.history.model_history import history
from delivery.output import problems, say


def rollback(
    model: Model,
    stage: Annotated[str, typer.Option("--stage", help="The stage to roll back.")],
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            help="Why; recorded. Required to revert a rollback, which restores the version that it reverted.",
        ),
    ] = None,
    commit: Annotated[
        bool,
        typer.Option("--commit", help="Put the revert on a new branch; the checkout stays as it is."),
    ] = False,
    project: Project = HERE,
) -> None:
    """Revert the commit that gave a model its version in a stage, and refuse if that would undo anything else."""
    known_stage(project, stage, hint="--stage")
    if reason is not None and not reason.strip():
        raise typer.BadParameter("say why in a few words", param_hint="--reason")
    # The revert is checked as a whole stage. Imported here, so that --help does not wait for it.
    from delivery.releases.rollback import keep  # noqa: PLC0415
    from delivery.releases.rollback import rollback as run_rollback  # noqa: PLC0415

    with problems():
        repository = Repository(project)
        # A model whose file no longer exists may have run.
        known_model(project, model, (change.model for change in history(repository).changes))
        if commit:
            refuse_edited(repository, f"Pulumi.{stage}.yaml")
        made = run_rollback(repository, model, stage, reason)
        if commit:
            keep(repository, made)
    say(made.diff)
    back = "forward again" if made.forward else "back"
    what = f"{model} in {stage} from {made.before.version} {back} to {made.after.version}"
    if made.warning:
        say(f"{made.warning}.")
    if commit:
        say(
            f"Committed {made.commit[:10]} on the branch {made.branch}: it reverts "
            f"{made.undone[:10]}, which takes {what}.\n"
            f"The checkout is as it was. Next: {push_hint(repository, made.branch)}"
        )
    else:
        needs = ", with --reason" if made.forward and reason is None else ""
        say(
            f"Reverting {made.undone[:10]} takes {what}. Nothing was changed; --commit{needs} makes the commit"
        )
