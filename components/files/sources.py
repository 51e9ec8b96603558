"""The files that make up a project: which of them decide what runs in a stage, and how each is read."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from components.errors import Problem, SettingsError
from components.files.reading import checkout_of, paths_below, read_file

# The name of the project, and of its settings in a stack file.
PROJECT = "ml-deployments"
FEATURES = "features"
MODELS = "models"
_PULUMI = re.compile(r"pulumi\.", re.IGNORECASE)
STAGE_FILE = re.compile(r"Pulumi\.([a-z0-9][-a-z0-9_]*)\.yaml")
_MODEL_FILE = re.compile(rf"{MODELS}/[^/]*\.ya?ml")
_FEATURE_FILE = re.compile(rf"{FEATURES}/(?!\.).+\.py")
# What every stage needs besides the files that people edit.
PROGRAM = ("components", "__main__.py", "Pulumi.yaml", "requirements.txt")
# All of a project, as pathspecs of git.
PARTS = (*PROGRAM, FEATURES, MODELS, "Pulumi.*.yaml")
_FOLDERS = ("components", FEATURES, MODELS)
_FILE = re.compile(r"Pulumi(\.[^/]+)?\.yaml|__main__\.py")
_READ = re.compile(
    rf"{_FILE.pattern}|{_MODEL_FILE.pattern}|{FEATURES}/(?!\.).+\.(py|json|ya?ml)|components/.+\.py"
)
# What Git LFS leaves in place of a file that was not fetched.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def belongs(path: str) -> bool:
    """True for a path that is part of a project, or inside one of its folders."""
    return path.partition("/")[0] in _FOLDERS or _FILE.fullmatch(path) is not None


def is_read(path: str) -> bool:
    """True for a file that the program reads, by its path inside the project."""
    return _READ.fullmatch(path) is not None


@dataclass(frozen=True)
class Sources:
    """The files of a project in a folder; some of them with edited text.

    Attributes:
        folder: The project's folder.
        edits: The new text of each edited file, by its path inside the project.
    """

    folder: Path
    edits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, folder: Path) -> "Sources":
        """A project's files as they are."""
        return cls(folder)

    def with_file(self, path: str, text: str) -> "Sources":
        """The same files, with another text for one of them; nothing is written."""
        return replace(self, edits={**self.edits, path: text})

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have a stack file, by name."""
        found = (STAGE_FILE.fullmatch(name) for name in self.top_files)
        return tuple(match[1] for match in found if match)

    @property
    def top_files(self) -> tuple[str, ...]:
        """What is in the project's folder and is named like a file of Pulumi, by name."""
        there = (path.name for path in self.folder.iterdir() if _PULUMI.match(path.name))
        return tuple(sorted({*there, *(path for path in self.edits if _PULUMI.match(path))}))

    @property
    def model_files(self) -> tuple[str, ...]:
        """The model files by path, like `models/a.yaml`."""
        return self._paths(self.in_models, _MODEL_FILE)

    @property
    def in_models(self) -> tuple[str, ...]:
        """Everything in `models/` and its folders by path.

        Raises:
            SettingsError: as `paths_below`.
        """
        return tuple(paths_below(self.folder, MODELS, self._checkout, deep=True))

    @property
    def feature_files(self) -> tuple[str, ...]:
        """The Python files of the feature definitions by path, like `features/views.py`."""
        return self._paths(self.in_features, _FEATURE_FILE)

    @property
    def in_features(self) -> tuple[str, ...]:
        """Everything in `features/` and its folders by path.

        Raises:
            SettingsError: as `paths_below`.
        """
        return tuple(paths_below(self.folder, FEATURES, self._checkout, deep=True))

    def has(self, path: str) -> bool:
        """True when there is something at the path; reading it says what is wrong with what is not a file."""
        return path in self.edits or os.path.lexists(self.folder / path)

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            SettingsError: as `read_file`, or Git LFS has not fetched it.
        """
        if path in self.edits:
            return self.edits[path].encode()
        content = read_file(self.folder, path, self._checkout)
        if content.startswith(_LFS_POINTER):
            reason = "the file is a pointer of Git LFS, and its content was not fetched"
            raise SettingsError([Problem(file=path, reason=reason, fix="`git lfs install && git lfs pull`")])
        return content

    def text(self, path: str) -> str:
        """The text of a file, with line feeds as line endings, as git stores it.

        Raises:
            SettingsError: as `read`.
            UnicodeDecodeError: it is not UTF-8.
        """
        return self.read(path).decode("utf-8").replace("\r\n", "\n")

    @cached_property
    def _checkout(self) -> Path:
        return checkout_of(self.folder)

    def _paths(self, there: Iterable[str], form: re.Pattern[str]) -> tuple[str, ...]:
        return tuple(sorted(path for path in {*there, *self.edits} if form.fullmatch(path)))
