"""Writes `features/definitions.yaml`: what Feast reads from `features/`, and the checksums of what it read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.errors import Problem, SettingsError, UserError
from components.files.sources import Sources
from components.files.writing import write_file
from components.files.yaml_text import dump
from components.loading.feature_definitions import FILE, source_files
from components.settings.feature_definitions import FORMAT, content_checksum, source_checksums
from delivery.features.feast import ask_feast

_HEADER = (
    "# Written by `make features` from the Python files beside it. Do not edit it; commit it with them.\n"
)


def write_definitions(project: Path, python: Path) -> bool:
    """Write what Feast reads from a project's definitions; without definitions there is no file.

    Args:
        project: The checkout.
        python: The Python of an environment with Feast.

    Returns:
        Whether the file exists now.

    Raises:
        SettingsError: lists every problem of the definitions.
        UserError: Feast cannot be asked.
    """
    files, problems = source_files(Sources.of(project))
    if problems:
        raise SettingsError(problems)
    if not files:
        (project / FILE).unlink(missing_ok=True)
        return False
    done = ask_feast(
        "feast_definitions",
        project,
        python=python,
        late="see what a definition waits for when it is imported",
    )
    if done.returncode != 0:
        said = done.stderr.strip().rpartition("\n")[2]
        raise UserError(f"Feast failed: {said or 'it said nothing'}", "run `make features` once more")
    found = json.loads(done.stdout)
    if "problems" in found:
        raise SettingsError(Problem(**problem) for problem in found["problems"])
    write_file(project, FILE, definitions_text(files, found))
    return True


def definitions_text(files: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """The text of the file.

    Args:
        files: The text of each Python file by its path inside `features/`.
        found: `feast`, `entities`, `views` and `services`, as `DefinitionsFile` names them.
    """
    data = {**found, "format": FORMAT, "sources": source_checksums(files)}
    return _HEADER + dump({**data, "checksum": content_checksum(data)})
