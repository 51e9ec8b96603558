"""How a setting reports what is wrong with its value."""

from pydantic_core import PydanticCustomError

WRONG = "wrong_value"


def wrong(reason: str, fix: str) -> PydanticCustomError:
    """The error that a validator raises; components/loading/validation.py makes a problem of it.

    Args:
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
    """
    return PydanticCustomError(WRONG, "{reason}", {"reason": reason, "fix": fix})
