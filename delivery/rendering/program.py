"""The objects of a project's stage, as the project's own program renders them."""

from pathlib import Path
from typing import Any

from components import program
from components.errors import UserError
from components.settings.stack import StackSettings
from delivery.rendering.apart import ApartError, rendered_apart
from delivery.rendering.program_failure import failure

_PACKAGE = "components"


class ProgramError(UserError):
    """The program refused to run or failed."""


class RefusedError(ProgramError):
    """The program refused its settings: its own problems in its own words, even if it is another checkout's."""

    def __init__(self, refusal: UserError | ApartError) -> None:
        Exception.__init__(self, str(refusal))
        self.problems = refusal.problems

    def __str__(self) -> str:
        """In the program's own words."""
        return str(self.args[0])


def objects(project: Path, stage: str, settings: StackSettings | None = None) -> list[dict[str, Any]]:
    """Every Kubernetes object of a stage, in the order of creation.

    A checkout with its own components, such as another commit's work tree, renders them with these, in a process of its
    own.

    Args:
        project: The checkout.
        stage: The stage's name.
        settings: The stage, where it is loaded already; None where the checkout has its own components.

    Raises:
        ProgramError: the program refused its settings, failed or exited early, or is older than this layout.
    """
    if has_own_program(project):
        return _apart(project, stage)
    try:
        return program.rendered(project, stage) if settings is None else program.objects(settings)
    except UserError as error:
        raise RefusedError(error) from None
    except (Exception, SystemExit) as error:
        raise ProgramError(*failure(error, project, stage)) from None


def has_own_program(project: Path) -> bool:
    """True for a checkout with other components than these, such as another commit's work tree."""
    here = Path(__file__).resolve().parents[2]
    return project.resolve() != here and (project / _PACKAGE).is_dir()


def _apart(project: Path, stage: str) -> list[dict[str, Any]]:
    if not (project / _PACKAGE / "program.py").is_file():
        raise ProgramError(
            f"{project / _PACKAGE} has no program.py: this program is older than what renders it",
            "check it out and render it with its own `python -m delivery`",
        )
    try:
        return rendered_apart(project, stage)
    except ApartError as error:
        if error.refusal is not None:
            raise RefusedError(error) from None
        (problem,) = error.problems
        raise ProgramError(problem.reason, problem.fix) from None
