"""Renders a stage with another checkout's program, in a process of its own that has no credentials.

What the program does there reaches this process only as JSON, which is checked before it is used.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from components.errors import Problem
from delivery.environment import environment_with

SECONDS = 120
# A stage of 1,000 models renders to 30 MB.
LONGEST_BYTES = 256 * 1024 * 1024
_CHECKOUT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from delivery.rendering.child import main; main()"
_FIX = "correct the program; `python -m delivery render` in its checkout shows what it renders"
_TEXTS = ("reason", "fix", "file", "field", "said")


class ApartError(Exception):
    """The program refused or failed.

    Attributes:
        problems: What is wrong.
        refusal: What the program itself said when it refused its settings; None where it failed.
    """

    def __init__(self, *problems: Problem, refusal: str | None = None) -> None:
        super().__init__(refusal)
        self.problems, self.refusal = problems, refusal


def rendered_apart(project: Path, stage: str) -> list[dict[str, Any]]:
    """Every object of a stage, in the order of creation, as the checkout's own `components` render them.

    Args:
        project: The checkout.
        stage: The stage's name.

    Raises:
        ApartError: the program refused its settings, failed, did not end, or rendered what is not an object.
    """
    answer = _answer(project.resolve(), stage)
    match answer:
        case {"objects": list(objects)} if all(map(_is_object, objects)):
            return objects
        case {"refused": str(text), "problems": list(problems)}:
            raise ApartError(*map(_problem, problems), refusal=text)
        case {"failed": [str(reason), str(fix)]}:
            raise ApartError(Problem(reason, fix))
    raise ApartError(Problem("the program rendered something that is not a Kubernetes object", _FIX))


def _answer(project: Path, stage: str) -> Any:  # noqa: ANN401 - whatever the program answered
    # Isolated: no variable, no folder of the user and not the current folder decide what is imported.
    command = [sys.executable, "-I", "-c", _START, str(_CHECKOUT), str(project), stage]
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as output:
        environment = {**environment_with(()), "HOME": home}
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ApartError(Problem(f"the program did not end within {SECONDS} s", _FIX)) from None
        size = output.seek(0, 2)
        if size > LONGEST_BYTES:
            raise ApartError(Problem(f"the program rendered {size:,} bytes, which is too much", _FIX))
        output.seek(0)
        try:
            return json.loads(output.read())
        except (ValueError, RecursionError):
            raise ApartError(
                Problem(f"the program ended with exit code {done.returncode} and rendered nothing", _FIX)
            ) from None


def _is_object(found: object) -> bool:
    match found:
        case {"apiVersion": str(), "kind": str(), "metadata": {"name": str(), **metadata}}:
            namespace, labels = metadata.get("namespace"), metadata.get("labels")
            return isinstance(namespace, str | None) and isinstance(labels, dict | None)
    return False


def _problem(found: object) -> Problem:
    """A problem of another program, which may know more or fewer fields."""
    data = found if isinstance(found, dict) else {}
    texts = {name: str(data.get(name) or "") for name in _TEXTS}
    line, value = data.get("line"), data.get("value")
    return Problem(
        **texts,
        line=line if isinstance(line, int) else None,
        value=value if isinstance(value, str) else None,
    )
