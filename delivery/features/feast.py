"""Runs what needs Feast in the environment that has it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from components.errors import UserError
from components.loading.feature_definitions import FOLDER
from delivery.environment import environment_with

# What `make features` creates.
FEAST_PYTHON = Path(".venv-feast/bin/python")
_SECONDS = 300
_PROGRAM = Path(__file__).resolve().parents[2]


def ask_feast(
    module: str, project: Path, *arguments: Path, python: Path, late: str, variables: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a module of this package on a project's definitions.

    Args:
        module: Its name.
        project: The checkout.
        arguments: What follows the folder of the definitions on the command line.
        python: The Python of an environment with Feast.
        late: What to check when there is no answer in time.
        variables: What it may see of the environment besides what every process needs.

    Raises:
        UserError: the environment is not there, or Feast does not answer.
    """
    if not python.is_file():
        raise UserError(f"{python} does not exist, so Feast cannot be asked", "make features")
    command: list[str | Path] = [
        python.absolute(),
        "-m",
        f"delivery.features.{module}",
        (project / FOLDER).absolute(),
        *arguments,
    ]
    try:
        # Feast runs the definitions, so their code sees this environment.
        return subprocess.run(
            command,
            cwd=_PROGRAM,
            env=environment_with(variables),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"Feast did not answer within {_SECONDS} s", late) from None
