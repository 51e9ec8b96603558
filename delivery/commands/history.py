"""`python -m delivery history`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.commands.common import HERE, Project
from delivery.git.repository import Repository
from delivery.history.model_history import History
from delivery.history.model_history import history as run_history
from delivery.history.table import COLUMNS, history_notes, history_rows
from delivery.output import listed, print_table, problems, say


def history(
    model: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="Only this stage.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page here.", dir_okay=False)
    ] = None,
    project: Project = HERE,
) -> None:
    """Show from git who released what, where and when, what was reverted, and when it was deployed."""
    with problems():
        repository = Repository(project)
        whole = run_history(repository)
        _known(whole, model, stage)
        found = whole.only(model, stage)
        if html is not None:
            # Imported here, so that only --html waits for it.
            from delivery.history.page import history_page  # noqa: PLC0415

            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(history_page(found), encoding="utf-8")
    if as_json:
        # Nor does who wants the table wait for what makes the rest.
        import json  # noqa: PLC0415

        from delivery.history.data import history_data  # noqa: PLC0415

        say(json.dumps(history_data(found), indent=2, ensure_ascii=False))
    elif html is not None:
        say(f"{len(found.changes)} changes written to {html}")
    else:
        print_table(COLUMNS, history_rows(found))
        for note in history_notes(found):
            say(note)


def _known(whole: History, model: str | None, stage: str | None) -> None:
    """Refuse a model or a stage that never existed, as wrong usage."""
    models = {change.model for change in whole.changes}
    if model is not None and model not in models:
        raise typer.BadParameter(
            f"no stage ever ran {model}; the models are {listed(models)}", param_hint="MODEL"
        )
    stages = {change.stage for change in whole.changes}
    if stage is not None and stage not in stages:
        raise typer.BadParameter(
            f"{stage} never ran a model; the stages are {listed(stages)}", param_hint="--stage"
        )
