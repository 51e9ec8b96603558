"""Commands that are imported when they run, so that commands that only need git, and `--help`, start at once."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from delivery.plain_arguments import PlainCommand

_PACKAGE = "delivery.commands"


class LazyCommand(TyperCommand):
    """The name and the help of a command; the command itself is loaded when its arguments are parsed."""

    @property
    def help(self) -> str | None:
        """The command's docstring, which only a list of the commands needs."""
        return _help(str(self.name))

    @help.setter
    def help(self, value: str | None) -> None:
        """Ignored: Typer only knows the placeholder."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Click's own, passed on
        """Parse the arguments as the command itself does."""
        command = get_command(_alone(str(self.name)))
        parent = options.get("parent")
        if (
            parent is not None
            and parent.obj is not None
            and "project" not in {p.name for p in command.params}
        ):
            raise typer.BadParameter(
                f"{self.name} does not use a checkout; leave it out", param_hint="--project"
            )
        return command.make_context(*arguments, **options)


def add(app: typer.Typer, name: str) -> None:
    """Add the command `name` of the function and module of that name in delivery/commands/."""
    app.command(name, cls=LazyCommand)(_never_called)


def _never_called() -> None:
    """A placeholder: Typer needs a function while the command is not imported yet."""


def _alone(name: str) -> typer.Typer:
    python_name = _python_name(name)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, cls=PlainCommand)(getattr(import_module(f"{_PACKAGE}.{python_name}"), python_name))
    return app


def _help(name: str) -> str | None:
    """The docstring of a command, read without importing what the command needs."""
    python_name = _python_name(name)
    spec = find_spec(f"{_PACKAGE}.{python_name}")
    source = Path(str(spec and spec.origin)).read_text(encoding="utf-8")
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return next(ast.get_docstring(node) for node in functions if node.name == python_name)


def _python_name(name: str) -> str:
    return name.replace("-", "_")
