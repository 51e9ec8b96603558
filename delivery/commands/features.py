"""`python -m delivery features`."""

from pathlib import Path
from typing import Annotated

import typer

from components.loading.feature_definitions import FILE, FOLDER
from delivery.commands.common import HERE, Project
from delivery.features.definitions import write_definitions
from delivery.features.feast import FEAST_PYTHON
from delivery.output import problems, say


def features(
    python: Annotated[
        Path, typer.Option("--python", help="The Python of an environment with Feast.")
    ] = FEAST_PYTHON,
    project: Project = HERE,
) -> None:
    """Write what Feast reads from the checkout's feature definitions to features/definitions.yaml."""
    with problems():
        written = write_definitions(project, python)
    if written:
        say(f"{FILE} is what Feast reads from {FOLDER}/. Commit it with the definitions.")
    else:
        say(f"{FOLDER}/ has no definitions, so there is no {FILE}.")
