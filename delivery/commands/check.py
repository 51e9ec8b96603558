"""`python -m delivery check`."""

import typer
from rich.table import Table

from components.problems import SettingsError
from delivery.check import check as run_check
from delivery.commands.common import HERE, Project, console


def check(project: Project = HERE) -> None:
    """Validate every stack file and every model file, and the rules and dashboards made of them."""
    report = run_check(project)
    if report.problems:
        typer.echo(str(SettingsError(report.problems)), err=True)
        raise typer.Exit(1)
    table = Table("stage", "namespace", "model", "version", "replicas", "rules", "alerts")
    for row in report.rows():
        table.add_row(*row)
    console().print(table)
    for note in report.notes():
        typer.echo(note)
