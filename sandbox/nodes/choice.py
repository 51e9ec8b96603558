"""Which kind of nodes a sandbox gets: what it has, else what is asked for, else real ones where that is possible."""

from collections.abc import Callable
from enum import StrEnum

from components.errors import UserError


class Kind(StrEnum):
    """The kind of nodes."""

    REAL = "real"
    SIMULATED = "simulated"


def choose(
    wanted: Kind | None, present: Kind | None, why_not: Callable[[], list[str]]
) -> tuple[Kind, list[str]]:
    """The kind, and why it is not real where no one asked for simulated nodes.

    Args:
        wanted: What was asked for.
        present: What the sandbox has; None when there is no sandbox.
        why_not: Why this machine cannot run real nodes; it is asked only where that matters.

    Raises:
        UserError: the sandbox has the other kind, or the machine cannot run what was asked for.
    """
    if present is not None:
        if wanted not in {None, present}:
            raise UserError(
                f"This sandbox has {present} nodes, and `--nodes {wanted}` asks for others; nothing was changed",
                f"run `python -m sandbox down`, then `up --nodes {wanted}`",
            )
        return present, []
    if wanted is Kind.SIMULATED:
        return Kind.SIMULATED, []
    reasons = why_not()
    if reasons and wanted is Kind.REAL:
        listed = "\n".join(f"  {reason}" for reason in reasons)
        raise UserError(
            "This machine cannot run real nodes",
            "do what the lines above say, or use `--nodes simulated`",
            said=listed,
        )
    return (Kind.SIMULATED if reasons else Kind.REAL), reasons
