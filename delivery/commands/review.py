"""`python -m delivery review`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project, known_stage
from delivery.output import problems, say
from delivery.review.page import failed, hidden, page
from delivery.review.review import review as run_review
from delivery.review.size import LIMIT_BYTES


def review(  # noqa: PLR0917 - Typer gives every option by its name
    span: Annotated[
        str,
        typer.Argument(metavar="BASE..HEAD", help="The change: what HEAD has since it branched off BASE."),
    ],
    stage: Annotated[str | None, typer.Option("--stage", help="Only this stage. Default: all.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write. Default: print.", dir_okay=False)
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Cut nothing, even if the page is too long for a comment.")
    ] = False,
    without_code: Annotated[
        bool,
        typer.Option(
            "--without-code", help="Run no code of HEAD: the base commit's program makes the objects."
        ),
    ] = False,
    accepted: Annotated[
        bool,
        typer.Option("--accepted", help="What weakens the stage was read and accepted: it stops nothing."),
    ] = False,
    project: Project = HERE,
) -> None:
    """Write the page of a pull request: what a change releases, what Pulumi would do, and what stops the merge."""
    if stage is not None:
        known_stage(project, stage, span.rpartition("..")[2] or "HEAD", hint="--stage")
    with problems():
        change, reviews = run_review(project, span, stage, code=not without_code, accepted=accepted)
    text = page(reviews, change, None if full else LIMIT_BYTES)
    if output is None:
        say(text, end="")
    else:
        with problems():
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text, encoding="utf-8")
        say(f"the review of {span} is in {output}")
    if failed(reviews) or hidden(reviews, text):
        raise typer.Exit(1)
