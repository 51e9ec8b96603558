"""The command line: `python -m delivery COMMAND`.

Exit codes: 0 good, 1 problems found, 2 wrong usage, 3 drift found.
"""

from importlib import import_module

import click
import typer
from typer.core import TyperGroup

# In the order of a change: from the files to the cluster and back. Each is a module of its name in delivery/commands/.
COMMANDS = (
    "check",
    "show",
    "policy",
    "promote",
    "review",
    "comment",
    "deployable",
    "tag",
    "drift",
    "history",
    "rollback",
    "render",
    "gitops",
    "schema",
)


class _Commands(TyperGroup):
    """Imports a command when it is asked for: the clients of registries and of Pulumi take a while to load."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = typer.Typer(add_completion=False)
        command.command(cmd_name)(getattr(import_module(f"delivery.commands.{cmd_name}"), cmd_name))
        return typer.main.get_command(command)

from delivery.commands.check import check
from delivery.commands.comment import comment
from delivery.commands.deployable import deployable
from delivery.commands.policy import policy
from delivery.commands.render import render
from delivery.commands.review import review
from delivery.commands.schema import schema
from delivery.commands.show import show

app = typer.Typer(
    cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def _delivery() -> None:
    """From a commit to a cluster: what the files say, what a change does, what runs, and who did it."""
for _command in (check, show, render, review, comment, policy, schema):
for _command in (check, show, render, review, comment, deployable, policy, schema):
    app.command()(_command)
