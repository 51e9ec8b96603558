"""`python -m delivery check`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from components.errors import Problem, SettingsError, UserError
from components.files.sources import Sources
from delivery.checking.check import Report
from delivery.checking.check import check as run_check
from delivery.commands.common import HERE, Project
from delivery.gitops.generate import stale
from delivery.gitops.settings import FILE
from delivery.output import fail, print_table, problems, say
from delivery.registries.check import ask

_FILES = ("stage", "namespace", "model", "version", "replicas", "rules", "alerts")
_REGISTRIES = ("stage", "model", "version", "digest", "registered", "metrics", "run", "dataset", "owner")


def check(
    registry: Annotated[
        bool, typer.Option("--registry", help="Also ask the image and model registries about every version.")
    ] = False,
    project: Project = HERE,
) -> None:
    """Validate every stack file and every model file, and the rules and dashboards generated from them."""
    report = run_check(project)
    _refuse(report.problems)
    print_table(_FILES, report.rows())
    for note in [*report.notes(), *_gitops_notes(project)]:
        say(note)
    if registry:
        _ask(project, report)


def _gitops_notes(project: Path) -> list[str]:
    """A note and not a problem: with push delivery, nothing reads gitops/."""
    if not Sources.of(project).has(FILE):
        return []
    try:
        found = stale(project)
    except UserError as error:
        return [f"gitops/ cannot be made: {error}"]
    if not found:
        return []
    other = Problem(
        f"not what the stack files and {FILE} generate; a deployment by pull may be refused",
        "`make gitops`, commit it, and apply the file of the stage to its cluster",
        file=", ".join(found),
    )
    return [str(other)]


def _ask(project: Path, report: Report) -> None:
    with problems():
        asked, found, notes = ask(project, report.stages)
    print_table(_REGISTRIES, (each.row() for each in asked))
    for note in notes:
        say(note)
    _refuse(found)


def _refuse(problems: Iterable[Problem]) -> None:
    found = SettingsError(problems)
    if found.problems:
        fail(found)
