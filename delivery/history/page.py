"""The history as one self-contained page: it loads nothing and works without its script."""

from functools import cache
from pathlib import Path

import jinja2

from components.visible import in_line
from delivery.history.model_history import Change, History
from delivery.history.table import (
    change_text,
    day,
    deployed_at,
    history_notes,
    name,
    remarks,
    short_digest,
)
from delivery.releases.changes import Deployed
from delivery.releases.deployments import Deployment

_TEMPLATES = Path(__file__).parent / "templates"


def history_page(history: History) -> str:
    """The page's HTML: what each model runs in each stage, and every change."""
    running = history.running()
    return (
        _environment()
        .get_template("history.html.j2")
        .render(
            history=history,
            stages=sorted({change.stage for change in history.changes}),
            models=sorted({change.model for change in history.changes}),
            cells={
                (change.model, change.stage): _cell(change, change.after)
                for change in running
                if change.after
            },
            fleet=sorted({change.model for change in running}),
            rows=[_row(change) for change in history.changes],
            notes=history_notes(history),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: in_line(value) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=day, name=name, digits=lambda revision: revision[:10])
    return environment


def _cell(change: Change, runs: Deployed) -> dict[str, object]:
    return {
        "version": runs.version,
        "replicas": runs.replicas,
        "digest": short_digest(runs) if runs.digest else None,
        "since": change.when,
        "or_earlier": change.oldest_known,
        "by": change.commit.author,
        "deployed": deployed_at(change),
        "reverts": change.reverts is not None and change.reapplies is None,
    }


def _row(change: Change) -> dict[str, object]:
    first: Deployment | None = next(iter(change.deployments), None)
    return {
        "change": change,
        "text": change_text(change),
        "remarks": remarks(change),
        "deployed": first.when if first else None,
    }
