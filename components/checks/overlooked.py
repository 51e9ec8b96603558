"""Refuses by name what another tool or a reader takes for a part of the project, and the program does not read."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from components.errors import Problem, SettingsError
from components.files.sources import FEATURES, MODELS, STAGE_FILE, Sources
from components.files.yaml_document import read_document

_PROJECT_FILE = "Pulumi.yaml"
# Pulumi itself reads each of these: https://www.pulumi.com/docs/iac/concepts/projects/project-file/
_SUFFIXES = {".yaml", ".yml", ".json"}


def overlooked_problems(sources: Sources) -> list[Problem]:
    """Every file that looks like one of a project's and is not read, and where Pulumi looks for files elsewhere.

    Raises:
        SettingsError: a folder cannot be read.
    """
    return [*_of_pulumi(sources), *_moved(sources), *_of_models(sources), *_of_features(sources)]


def _of_pulumi(sources: Sources) -> Iterator[Problem]:
    for name in sources.top_files:
        path = PurePosixPath(name)
        if name == _PROJECT_FILE or STAGE_FILE.fullmatch(name) or path.suffix.lower() not in _SUFFIXES:
            continue
        if path.stem.lower() == "pulumi":
            yield Problem(f"is not read: the project's file is {_PROJECT_FILE}", "rename it", file=name)
            continue
        yield Problem(
            "is not read: a stage's file is Pulumi.<stage>.yaml, and a stage's name has lower-case letters, digits, "
            "'-' and '_'",
            "rename it, or remove it",
            file=name,
        )


def _moved(sources: Sources) -> Iterator[Problem]:
    """Pulumi.yaml can name another folder for the stack files."""
    if not sources.has(_PROJECT_FILE):
        return
    try:
        document = read_document(sources, _PROJECT_FILE)
    except SettingsError as error:
        yield from error.problems
        return
    for key in ("stackConfigDir", "config"):
        if isinstance(value := document.data.get(key), str):
            yield Problem(
                "makes Pulumi read stack files from another folder, which this program does not read",
                "remove it",
                file=_PROJECT_FILE,
                line=document.origins[(key,)].line,
                field=key,
                value=value,
            )


def _of_models(sources: Sources) -> Iterator[Problem]:
    for path in sorted({*sources.in_models} - {*sources.model_files}):
        if PurePosixPath(path).suffix.lower() in _SUFFIXES:
            yield Problem(
                f"is not read: a model's file is {MODELS}/<model>.yaml",
                f"move it to {MODELS}/, with that name, or out of the folder",
                file=path,
            )


def _of_features(sources: Sources) -> Iterator[Problem]:
    for path in sources.in_features:
        there = sources.folder / path
        if there.is_symlink() and there.is_dir():
            yield Problem(
                f"is a link to a folder, which is not followed in {FEATURES}/",
                "move the folder there, or link to each file",
                file=path,
            )
