"""`python -m delivery comment`."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from components.errors import UserError
from components.files.reading import read_file
from delivery.output import problems, say
from delivery.review.comment import API, PullRequest
from delivery.review.comment import comment as run_comment
from delivery.review.page import marker

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+", re.ASCII)


def comment(
    file: Annotated[
        Path, typer.Argument(help="The page, as `review --output` wrote it.", exists=True, dir_okay=False)
    ],
    repository: Annotated[str, typer.Option("--repository", metavar="OWNER/NAME", help="The repository.")],
    pull_request: Annotated[
        int, typer.Option("--pull-request", help="The number of the pull request.", min=1)
    ],
    stage: Annotated[
        str | None, typer.Option("--stage", help="Refuse a page that is not this stage's review.")
    ] = None,
) -> None:
    """Post a page as a comment of a pull request on GitHub, or edit the one that is there."""
    if not _REPOSITORY.fullmatch(repository):
        raise typer.BadParameter(f"{repository} is not OWNER/NAME", param_hint="--repository")
    with problems():
        # A token on the command line would be in the list of processes and in the shell's history.
        token = os.environ.get("GITHUB_TOKEN", "")
        if not token:
            raise UserError("GITHUB_TOKEN is not set", "set it to a token that may write comments")
        request = PullRequest(
            repository=repository,
            number=pull_request,
            token=token,
            api=os.environ.get("GITHUB_API_URL") or API,
        )
        # A job of the pull request wrote the file: it may be a link to what only this job may read.
        page = read_file(file.parent, file.name, Path(os.path.realpath(file.parent)))
        expected = None if stage is None else marker(stage)
        done, address = run_comment(request, page.decode("utf-8", "replace"), expected)
    say(f"{done}: {address}")
