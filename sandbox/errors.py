"""The sandbox's one kind of failure."""


class SandboxError(Exception):
    """Something the user must know: what happened, why, and what to do; shown without a traceback."""
