"""Writes a pipeline in the skops format so that the same pipeline has the same bytes.

skops names what it stores by addresses in memory and dates the entries of its archive. Both are replaced: by numbers in
the order of the schema, and by the oldest time that an archive can state. Reading needs neither.
"""

import io
import json
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile, ZipInfo

import skops.io  # type: ignore[import-untyped]

SCHEMA = "schema.json"


def write_model(pipeline: Any, path: Path) -> None:  # noqa: ANN401 - scikit-learn has no types
    """Write the pipeline to a file that `skops.io.load` reads."""
    with ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as stored:
        numbers: dict[str, int] = {}
        schema = _numbered(json.loads(stored.read(SCHEMA)), numbers)
        arrays = {_named(name, numbers): stored.read(name) for name in stored.namelist() if name != SCHEMA}
    with ZipFile(path, "w") as written:
        for name in sorted(arrays):
            written.writestr(ZipInfo(name), arrays[name])
        written.writestr(ZipInfo(SCHEMA), json.dumps(schema, indent=2))


def _numbered(value: Any, numbers: dict[str, int]) -> Any:  # noqa: ANN401
    """A part of the schema with numbers in place of addresses, which are added to `numbers` as they appear."""
    if isinstance(value, list):
        return [_numbered(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key == "__id__":
            found[key] = _number(str(item), numbers)
        elif key == "file" and isinstance(item, str):
            found[key] = _named(item, numbers)
        else:
            found[key] = _numbered(item, numbers)
    return found


def _named(file: str, numbers: dict[str, int]) -> str:
    path = PurePosixPath(file)
    return f"{_number(path.stem, numbers)}{path.suffix}"


def _number(address: str, numbers: dict[str, int]) -> int:
    return numbers.setdefault(address, len(numbers) + 1)
