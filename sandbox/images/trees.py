"""What a layer contains, by path. Nothing of the machine that builds it is in a tree: no owner, no time, no umask."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ALWAYS, _EXECUTABLE = 0o644, 0o755


@dataclass(frozen=True)
class File:
    """A file: its bytes, or the file that has them, and its mode."""

    content: bytes | Path
    mode: int = _ALWAYS


@dataclass(frozen=True)
class Folder:
    """A folder with its mode."""

    mode: int = _EXECUTABLE


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Node = File | Folder | Link
Tree = Mapping[str, Node]
"""Nodes by their paths, without a leading slash. Folders that are not named are there with the usual mode."""


def tree_of(folder: Path, at: str = "") -> dict[str, Node]:
    """The files, folders and links below a folder of this machine.

    Args:
        folder: Where they are; a file may be executable or not, the rest of its mode is not kept.
        at: The path that they get in the image; empty for its root.
    """
    found: dict[str, Node] = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent) / name
            found[(Path(at) / path.relative_to(folder)).as_posix()] = _node(path)
    return found


def _node(path: Path) -> Node:
    if path.is_symlink():
        return Link(str(path.readlink()))
    if path.is_dir():
        return Folder()
    executable = path.stat().st_mode & stat.S_IXUSR
    return File(path, _EXECUTABLE if executable else _ALWAYS)
