"""`python -m delivery schema`."""

from pathlib import Path
from typing import Annotated

import typer

from delivery.output import problems, say
from delivery.schema.json_schema import write_generated


def schema(
    output: Annotated[Path, typer.Option("--output", help="The folder to write.")] = Path("docs"),
) -> None:
    """Write the JSON schemas with which editors check the files, and the reference of the settings."""
    with problems():
        written = write_generated(output)
    for path in written:
        say(str(path))
