"""The objects of a project's stage, as the project's own program renders them."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from components.errors import Problem, UserError
from components.settings.stack import StackSettings
from delivery.rendering.program_failure import failure

_PACKAGE = "components"
_REFUSAL = (f"{_PACKAGE}.errors", "UserError")


class ProgramError(UserError):
    """The program refused to run or failed."""


class RefusedError(ProgramError):
    """The program refused its settings: its own problems in its own words, even if it is another checkout's."""

    def __init__(self, refusal: Any) -> None:  # noqa: ANN401 - another checkout's class is not known here
        Exception.__init__(self, str(refusal))
        self.problems = tuple(Problem(**asdict(problem)) for problem in refusal.problems)

    def __str__(self) -> str:
        """In the program's own words."""
        return str(self.args[0])


def objects(project: Path, stage: str, settings: StackSettings | None = None) -> list[dict[str, Any]]:
    """Every Kubernetes object of a stage, in the order of creation.

    A checkout with its own components, such as another commit's work tree, renders them with these.

    Args:
        project: The checkout.
        stage: The stage's name.
        settings: The stage, where it is loaded already; None where the checkout has its own components.

    Raises:
        ProgramError: the program refused its settings, failed or exited early, or is older than this layout.
    """
    with _modules_of(project):
        try:
            program = importlib.import_module(f"{_PACKAGE}.program")
            found: list[dict[str, Any]] = (
                program.rendered(project, stage) if settings is None else program.objects(settings)
            )
        except (Exception, SystemExit) as error:
            if _is_refusal(error):
                raise RefusedError(error) from None
            raise ProgramError(*failure(error, project, stage)) from None
    return found


def has_own_program(project: Path) -> bool:
    """True for a checkout with other components than these, such as another commit's work tree."""
    here = Path(__file__).resolve().parents[2]
    return project.resolve() != here and (project / _PACKAGE).is_dir()


def _is_refusal(error: BaseException) -> bool:
    """By name: another checkout's components raise a class that this process does not know."""
    return any((one.__module__, one.__name__) == _REFUSAL for one in type(error).__mro__)


@contextmanager
def _modules_of(project: Path) -> Iterator[None]:
    """Imports another checkout's components instead of these while its program runs."""
    if not has_own_program(project):
        yield
        return
    if not (project / _PACKAGE / "program.py").is_file():
        raise ProgramError(
            f"{project / _PACKAGE} has no program.py: this program is older than what renders it",
            "check it out and render it with its own `python -m delivery`",
        )
    own = _components()
    for name in own:
        del sys.modules[name]
    sys.path.insert(0, str(project))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(project))
        for name in _components():
            del sys.modules[name]
        sys.modules.update(own)


def _components() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == _PACKAGE}
