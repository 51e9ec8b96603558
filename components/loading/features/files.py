"""The folder `features/`: its Python files, read, and what of it cannot be brought into a cluster."""

import re
from pathlib import Path

from components.files.problems import Problem
from components.loading.features.modules import FOLDER
from components.loading.features.source import read_definitions
from components.settings.feature_definitions import FeatureDefinitions

# A ConfigMap holds 1 MiB, its own description included.
LARGEST = 1_000_000
# Feast imports each file as a module.
_MODULE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*/)*[A-Za-z_][A-Za-z0-9_]*\.py")
_YAML = "feature_store.yaml"


def load_definitions(project: Path) -> tuple[FeatureDefinitions, list[Problem]]:
    """What `features/` of a project defines, and every problem of its files; nothing where there is no such folder."""
    folder = project / FOLDER
    problems: list[Problem] = []
    files: dict[str, str] = {}
    unread: list[str] = []
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder).as_posix()
        if "__pycache__" in inside or inside.startswith("."):
            continue
        file = f"{FOLDER}/{inside}"
        if not _MODULE.fullmatch(inside):
            reason = "is no name of a Python module, and Feast imports each file"
            problems.append(Problem(file=file, reason=reason, fix="rename it, like sentiment_features.py"))
            continue
        try:
            files[inside] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            unread.append(inside)
            problems.append(Problem(file=file, reason="is not UTF-8", fix="save it as UTF-8"))
    if (folder / _YAML).exists():
        reason = "is not read: the program makes it from the stack file"
        problems.append(Problem(file=f"{FOLDER}/{_YAML}", reason=reason, fix="remove it"))
    size = sum(len(text.encode()) for text in files.values())
    if size > LARGEST:
        reason = f"its Python files take {size} bytes, more than the {LARGEST} that one ConfigMap holds"
        problems.append(Problem(file=FOLDER, reason=reason, fix="take out what is no definition"))
    definitions, found = read_definitions(files, unread)
    return definitions, [*problems, *found]
