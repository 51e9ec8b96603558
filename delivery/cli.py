"""The command line: `python -m delivery COMMAND`.

Exit codes: 0 good, 1 problems found, 2 wrong usage, 3 drift found.
"""

from collections.abc import Callable

import typer

from delivery.commands.check import check
from delivery.commands.comment import comment
from delivery.commands.deployable import deployable
from delivery.commands.drift import drift
from delivery.commands.features import features
from delivery.commands.features_plan import features_plan
from delivery.commands.gitops import gitops
from delivery.commands.history import history
from delivery.commands.policy import policy
from delivery.commands.promote import promote
from delivery.commands.render import render
from delivery.commands.review import review
from delivery.commands.rollback import rollback
from delivery.commands.schema import schema
from delivery.commands.show import show
from delivery.commands.tag import tag

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a commit to a cluster: what the files say, what a change does, what runs, and who did it.",
)
# In the order of a change; then what the repository itself is made with.
_COMMANDS: tuple[Callable[..., None], ...] = (
    check,
    show,
    policy,
    promote,
    review,
    comment,
    deployable,
    tag,
    drift,
    history,
    rollback,
    render,
    gitops,
    features,
    features_plan,
    schema,
)
for _command in _COMMANDS:
    app.command()(_command)
