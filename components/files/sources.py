"""The files that make up a project: which of them decide what runs in a stage, and how each is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from components.errors import Problem, SettingsError

# The name of the project, and of its settings in a stack file.
PROJECT = "ml-deployments"
FEATURES = "features"
MODELS = "models"
STAGE_FILE = re.compile(r"Pulumi\.([a-z0-9][-a-z0-9_]*)\.yaml")
_MODEL_FILE = re.compile(rf"{MODELS}/[^/]*\.y[^/]*ml")
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
        found = (STAGE_FILE.fullmatch(name) for name in self._paths("Pulumi.*.yaml", STAGE_FILE))
        return tuple(match[1] for match in found if match)

    @property
    def model_files(self) -> tuple[str, ...]:
        """The model files by path, like `models/a.yaml`."""
        return self._paths(f"{MODELS}/*", _MODEL_FILE)

    @property
    def feature_files(self) -> tuple[str, ...]:
        """The Python files of the feature definitions by path, like `features/views.py`."""
        return self._paths(f"{FEATURES}/**/*.py", _FEATURE_FILE)

    def has(self, path: str) -> bool:
        """True when there is such a file."""
        return path in self.edits or (self.folder / path).is_file()

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            SettingsError: it does not exist, cannot be read, or Git LFS has not fetched it.
        """
        if path in self.edits:
            return self.edits[path].encode()
        try:
            content = (self.folder / path).read_bytes()
        except FileNotFoundError:
            raise SettingsError(
                [Problem(file=path, reason="the file does not exist", fix="create it")]
            ) from None
        except OSError as error:
            reason = f"the file cannot be read ({error.strerror})"
            raise SettingsError([Problem(file=path, reason=reason, fix="make it readable")]) from None
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

    def _paths(self, pattern: str, form: re.Pattern[str]) -> tuple[str, ...]:
        there = (path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern))
        return tuple(sorted(path for path in {*there, *self.edits} if form.fullmatch(path)))
