"""What of a project a commit does not contain, or not as a file: it is refused by name, and never read in part."""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.errors import UserError
from components.files.reading import leads_out
from components.files.sources import Sources, belongs, is_read

# Modes of git.
LINK, _SUBMODULE = "120000", "160000"
_NO_FILTER = frozenset({"unspecified", "unset", "set"})


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One path of a commit, inside the project, and its mode in git."""

    mode: str
    path: str


class Git(Protocol):
    """Runs git in the project's folder, as a `Repository` does."""

    def git(self, *arguments: str, stdin: str | None = None) -> str:
        """What git printed."""

    def try_git(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """What git printed, and its exit code."""


def refuse_parts(git: Git, commit: str, project: Path, top: Path) -> None:
    """Refuse a commit that does not contain the whole project as files.

    Args:
        git: The repository.
        commit: The commit.
        project: The project as it is checked out of the commit.
        top: The top folder of the repository, there.

    Raises:
        UserError: names what is not supported.
    """
    entries = _entries(git.git("ls-tree", "-r", "-z", commit, "./"))
    _refuse_submodules(entries)
    if git.try_git("config", "--type=bool", "core.ignoreCase").stdout.strip() == "true":
        _refuse_same_names(entries)
    if project.is_dir():
        _refuse_filters(git, project, [entry.path for entry in entries if is_read(entry.path)])
        _refuse_links(git, commit, project, top, entries)


def refuse_filtered(git: Git, project: Path, paths: Sequence[str]) -> None:
    """Refuse files that go through a filter, since their history is read as git stores it.

    Args:
        git: The repository.
        project: The project's folder.
        paths: The files, inside the project.

    Raises:
        UserError: names a file and its filter.
    """
    for path, name in _filtered(git, project, paths):
        raise UserError(
            f"{path} goes through the git filter {name}, and the history of such a file is not supported",
            "remove its filter in .gitattributes",
        )


def _refuse_filters(git: Git, project: Path, paths: Sequence[str]) -> None:
    for path, name in _filtered(git, project, paths):
        option = rf"^filter\.{re.escape(name)}\.(smudge|process)$"
        if git.try_git("config", "--get-regexp", option).returncode != 0:
            raise UserError(
                f"{path} goes through the git filter {name}, which is not set up here, and the file without it is not "
                "supported",
                f"set the filter up{', with `git lfs install`' if name == 'lfs' else ''}",
            )


def _filtered(git: Git, project: Path, paths: Sequence[str]) -> list[tuple[str, str]]:
    """The files that go through a filter of git, with its name."""
    said = git.git(
        "-C", str(project), "check-attr", "--stdin", "-z", "filter", stdin="".join(f"{p}\0" for p in paths)
    )
    fields = said.split("\0")
    return [
        (path, name) for path, name in zip(fields[0::3], fields[2::3], strict=False) if name not in _NO_FILTER
    ]


def _entries(listed: str) -> list[_Entry]:
    """The entries of `git ls-tree -r -z` that belong to the project."""
    rows = (line.partition("\t") for line in listed.split("\0") if line)
    return [_Entry(mode=meta.split()[0], path=path) for meta, _, path in rows if belongs(path)]


def _refuse_submodules(entries: Iterable[_Entry]) -> None:
    for entry in entries:
        if entry.mode == _SUBMODULE:
            raise UserError(
                f"{entry.path} is a submodule, which is not supported: a commit has its revision, and not its files",
                "move its files into this repository",
            )


def _refuse_same_names(entries: Iterable[_Entry]) -> None:
    """Refuse names that differ only in case, on a file system that keeps one of them."""
    seen: dict[str, str] = {}
    for path in sorted(entry.path for entry in entries if is_read(entry.path)):
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise UserError(
                f"{other} and {path} differ only in case, which is not supported here: this file system keeps one of "
                "them (core.ignoreCase)",
                "rename one of them",
            )


def _refuse_links(git: Git, commit: str, project: Path, top: Path, entries: Iterable[_Entry]) -> None:
    """Refuse links whose final targets are not part of the commit."""
    for path in (entry.path for entry in entries if entry.mode == LINK):
        _refuse_link(git, commit, project.resolve(), path, top.resolve())
    # What is below a linked folder.
    sources = Sources.of(project)
    for path in (*sources.model_files, *sources.feature_files):
        _refuse_link(git, commit, project.resolve(), path, top.resolve())


def _refuse_link(git: Git, commit: str, project: Path, path: str, top: Path) -> None:
    end = Path(os.path.realpath(project / path))
    if leads_out(end, top):
        raise UserError(
            f"{path} is a symbolic link out of the repository, which is not supported: no commit contains what it "
            "leads to",
            "move that into the repository, and link to it by a relative path",
        )
    inside = end.relative_to(top).as_posix()
    if end != project / path and git.try_git("cat-file", "-e", f"{commit}:{inside}").returncode != 0:
        raise UserError(
            f"{path} is a symbolic link to what the commit does not contain, which is not supported",
            "commit what it leads to, or remove the link",
        )
