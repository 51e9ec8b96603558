"""`python -m delivery render`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project, Stage, known_stage, remote_name
from delivery.git.repository import Repository
from delivery.output import problems, say
from delivery.rendering.branch import render_commit
from delivery.rendering.remote import push as push_branch
from delivery.rendering.render import render as run_render


def render(
    stage: Stage,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="The folder to write: a new or empty one, or one with rendered files only; files of objects that "
            "no longer exist are removed.",
            file_okay=False,
        ),
    ] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Put them on the branch rendered/STAGE instead of into a folder.")
    ] = False,
    revision: Annotated[str, typer.Option(help="With --commit: the source commit to render.")] = "HEAD",
    push: Annotated[
        str | None,
        typer.Option(
            metavar="REMOTE",
            callback=remote_name,
            help="With --commit: continue from this remote's branch, and push it.",
        ),
    ] = None,
    any_order: Annotated[
        bool,
        typer.Option(
            "--any-order", help="With --commit: allow a source older than the one the branch shows."
        ),
    ] = False,
    project: Project = HERE,
) -> None:
    """Write what the program would deploy as Kubernetes manifests, one file per object."""
    if commit == (output is not None):
        raise typer.BadParameter("give either --output DIR or --commit", param_hint="--output")
    if output is not None:
        if revision != "HEAD" or push is not None or any_order:
            raise typer.BadParameter(
                "--revision, --push and --any-order go with --commit", param_hint="--output"
            )
        known_stage(project, stage)
        with problems():
            paths = run_render(project, stage, output)
        say(f"{len(paths)} objects of {stage} written to {output}")
        return
    known_stage(project, stage, revision)
    with problems():
        repository = Repository(project)
        done = render_commit(repository, stage, revision, remote=push, any_order=any_order)
        if push is not None:
            push_branch(repository, done.branch, push)
    what = "is the new tip" if done.created else "was there already"
    pushed = f", pushed to {push}" if push is not None else ""
    say(f"{done.branch}: {done.revision[:12]} {what}, rendered from {done.source[:12]}{pushed}")
