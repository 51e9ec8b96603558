"""How a setting reports what is wrong with its value."""

from collections.abc import Iterable

from pydantic_core import PydanticCustomError

WRONG = "wrong_value"
Place = tuple[str | int, ...]


def wrong(reason: str, fix: str, *about: Place) -> PydanticCustomError:
    """The error that a validator raises; components/loading/validation.py makes a problem of it.

    Args:
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        about: The values that it is about, as paths below the value that is validated, in the spelling of the files.
            The problem is reported at the first of them that is written, and only where none is wrong by itself.
            Default: the whole value.
    """
    return PydanticCustomError(WRONG, "{reason}", {"reason": reason, "fix": fix, "about": about})


def refuse(found: Iterable[PydanticCustomError]) -> None:
    """Raise all the errors of a validator as one, so that they are reported together; nothing without any."""
    every = [error.context or {} for error in found]
    if every:
        raise PydanticCustomError(WRONG, "{reason}", {**every[0], "more": every[1:]})
