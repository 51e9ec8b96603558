"""Folders that contain the project as a commit has it, and those that killed runs left.

Git remembers a work tree until it is removed, and a killed run removes nothing. Each run holds a lock in its folder,
which the system releases when the process is gone; so the next run knows which folders are abandoned.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "ml-deployments-"
_TREE = "tree"
_LOCK = ".held-by-delivery"


@contextmanager
def folder() -> Iterator[Path]:
    """A place for a work tree, in a new folder that is this process' own until the end."""
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as own, (Path(own) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(own) / _TREE


def abandoned(listed: str) -> list[Path]:
    """The work trees of killed runs.

    Args:
        listed: What `git worktree list --porcelain` prints. The result never includes the user's own work trees.
    """
    lines = [line for line in listed.splitlines() if line.startswith("worktree ")]
    # The first is the main one.
    found = (Path(line.removeprefix("worktree ")) for line in lines[1:])
    return [
        tree
        for tree in found
        if tree.name == _TREE and tree.parent.name.startswith(_PREFIX) and _is_nobodys(tree.parent)
    ]


def remove(tree: Path) -> None:
    """Remove an abandoned work tree's folder, as far as this user may."""
    shutil.rmtree(tree.parent, ignore_errors=True)


def _is_nobodys(own: Path) -> bool:
    """True when the folder is gone, or no process holds its lock. One without a lock is left alone."""
    if not own.exists():
        return True
    try:
        with (own / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
