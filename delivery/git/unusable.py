"""Why git cannot read a repository, with the reason that git itself has for it."""

import os
import re
from pathlib import Path

from components.errors import UserError

_TRUST = re.compile(r"git config --global --add safe\.directory .+")
_NEWER = ("unknown repository extension", "expected git repo version", "unknown hash algorithm")


def unusable(project: Path, said: str) -> UserError:
    """The error for a folder whose repository `git rev-parse --show-toplevel` does not read.

    Args:
        project: The folder.
        said: What git printed.
    """
    if "dubious ownership" in said:
        trust = _TRUST.search(said)
        return UserError(
            f"the repository of {project} belongs to another user, so git does not read it (safe.directory)",
            f"if you trust it, `{trust[0].strip() if trust else 'git config --global --add safe.directory DIR'}`",
        )
    if "bare repository" in said or "must be run in a work tree" in said:
        return UserError(
            f"{project} is a bare repository, or part of one, and has no files that are checked out",
            "run this in a clone of it, or in a work tree that `git worktree add` made of it",
        )
    if any(phrase in said.lower() for phrase in _NEWER):
        return UserError(
            f"the repository of {project} has a format that this version of git does not read",
            "install a newer git; `git version` says which one this is",
            said=said.strip(),
        )
    last = next(reversed(said.strip().splitlines()), "git printed nothing")
    if "not a git repository" not in said:
        return UserError(
            f"git cannot read the repository of {project}", "repair what git names", said=said.strip() or last
        )
    hint = (
        "; GIT_DIR is set, and is not followed, so that no hook of git reads another repository"
        if "GIT_DIR" in os.environ
        else ""
    )
    return UserError(
        f"{project} is in no git repository ({last}){hint}",
        "run this in a clone of the repository, or name one with --project DIR",
    )
