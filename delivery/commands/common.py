"""What the commands share: their common arguments, and the names that they refuse."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from components.errors import UserError
from components.files.sources import Sources
from delivery.git.repository import Repository
from delivery.output import listed
from delivery.releases.changes import stages_at

HERE = Path()


def _one_project(context: typer.Context, value: Path) -> Path:
    """The project given after the command, or before it; two different ones are wrong usage."""
    before: Path | None = context.obj
    if before is None:
        return value
    source = context.get_parameter_source("project")
    if source is not None and source.name != "DEFAULT" and value.resolve() != before.resolve():
        raise typer.BadParameter(
            f"{before} is given before the command and {value} after it; give one", param_hint="--project"
        )
    return before


Project = Annotated[
    Path,
    typer.Option(
        "--project", help="The checkout to use.", exists=True, file_okay=False, callback=_one_project
    ),
]
Model = Annotated[str, typer.Argument(help="The model, as in models/<model>.yaml.")]
Stage = Annotated[str, typer.Argument(help="The stage, as in Pulumi.<stage>.yaml.")]


def remote_name(value: str | None) -> str | None:
    """Refuse what git would take for an option, as wrong usage."""
    if value is not None and value.startswith("-"):
        raise typer.BadParameter(f"{value} is not a remote")
    return value


def known_stage(project: Path, stage: str, revision: str | None = None, hint: str = "STAGE") -> None:
    """Refuse a stage that has a stack file neither in the project nor at a commit, as wrong usage.

    Args:
        project: The checkout.
        stage: What the user wrote.
        revision: The commit to look in; None for the files as they are. A commit that does not exist is ignored here.
        hint: What the usage calls it.
    """
    here = Sources.of(project).stages
    # Git is asked only where the files do not answer: it costs three processes.
    known = here if stage in here or revision is None else {*here, *_stages_at(project, revision)}
    if stage not in known:
        raise typer.BadParameter(
            f"Pulumi.{stage}.yaml does not exist; the stages are {listed(known)}", param_hint=hint
        )


def known_model(project: Path, model: str, more: Iterable[str] = ()) -> None:
    """Refuse a model without a model file, as wrong usage; `more` are models of the past."""
    known = {*(Path(file).stem for file in Sources.of(project).model_files), *more}
    if model not in known:
        raise typer.BadParameter(
            f"models/{model}.yaml does not exist; the models are {listed(known)}", param_hint="MODEL"
        )


def _stages_at(project: Path, revision: str) -> tuple[str, ...]:
    try:
        repository = Repository(project)
        return stages_at(repository, repository.resolve(revision))
    except UserError:
        # The command itself reports what is wrong with the repository or the commit.
        return ()
