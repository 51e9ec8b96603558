"""The command line: `python -m delivery COMMAND`.

Exit codes: 0 good, 1 problems found, 2 wrong usage, 3 drift found.
"""

from pathlib import Path
from typing import Annotated

import typer

from delivery import lazy_commands
from delivery.plain_arguments import PlainGroup

# In the order in which a change uses them; then those that generate the repository's own files.
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
    "features",
    "features-plan",
    "schema",
)
app = typer.Typer(
    cls=PlainGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a commit to a cluster: what the files say, what a change does, what runs, and who did it.",
)


@app.callback()
def main(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            help="The same as after the command: the checkout to use.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
) -> None:
    """The options before the command."""
    context.obj = project


for _name in COMMANDS:
    lazy_commands.add(app, _name)
