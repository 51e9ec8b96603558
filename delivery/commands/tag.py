"""`python -m delivery tag`."""

from typing import Annotated

import typer

from delivery.commands.common import HERE, Project, Stage, known_stage, remote_name
from delivery.git.repository import Repository
from delivery.output import counted, problems, say
from delivery.releases.deployments import fetch, push
from delivery.releases.deployments import tag as run_tag


def tag(
    stage: Stage,
    commit: Annotated[str, typer.Option("--commit", help="The deployed commit.")] = "HEAD",
    remote: Annotated[
        str | None,
        typer.Option(
            "--push", callback=remote_name, help="Fetch this remote's tags first, and push the new ones."
        ),
    ] = None,
    project: Project = HERE,
) -> None:
    """After a deployment: tag the commit with <stage>/<model>/<version> for each model that changed."""
    known_stage(project, stage, commit)
    with problems():
        repository = Repository(project)
        if remote is not None:
            fetch(repository, stage, remote)
        for name in (made := run_tag(repository, stage, commit)):
            say(name)
        if not made:
            say(f"every model of {stage} is tagged already")
        if remote is not None:
            names = push(repository, stage, remote, commit)
            say(f"{counted(len(names), 'tag')} of this commit at {remote}")
