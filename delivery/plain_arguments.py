"""Reads texts, flags and paths of the command line as Typer does, without pydantic.

Typer reads every argument with pydantic, and importing that takes as long as the rest of the start of a command that
only needs git. It has no setting for this, so `tests/unit/commands/test_start.py` fails when another release of Typer
works differently.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer._coercion import RuntimeParam
from typer._param_types import coerce_cli_path
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from components.visible import visible
from delivery.output import problems


class _PlainParam(RuntimeParam):
    """A text is used as it is written, a flag as the parser returns it, and a path is checked as its option says."""

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own
        if self.annotation is not Path:
            return value
        return coerce_cli_path(Path(value), self.parameter_info, path_type=Path, param=param, ctx=ctx)


class PlainCommand(TyperCommand):
    """A command whose texts, flags and paths are read without pydantic."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - Typer's own
        """Its options and arguments, with `--help`."""
        return _read_plainly(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The same for the options before the command."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - Typer's own
        """Its options, with `--help`."""
        return _read_plainly(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own
        """Parse the command's arguments and run it."""
        with problems(), _visible_usage():
            return super().invoke(ctx)


@contextmanager
def _visible_usage() -> Iterator[None]:
    """Wrong usage is printed by Typer, and names arguments and files as they are."""
    try:
        yield
    except TyperException as error:
        error.message = visible(error.message)
        raise


def _read_plainly(params: Iterable[Any]) -> list[Any]:
    found = list(params)
    for param in found:
        kind = param.type_descriptor
        if kind.annotation in {str, bool, Path} and param.nargs == 1 and not param.multiple:
            param._runtime_param = _PlainParam(kind.parameter_info, kind.annotation)
    return found
