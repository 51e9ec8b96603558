"""The sandbox's one kind of failure."""

from components.errors import UserError


class SandboxError(UserError):
    """Something the user must know: what happened, why, and what to do; shown without a traceback."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason, fix)
