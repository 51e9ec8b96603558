"""The paths that a stack file had before: its project moved to another folder, or the file got another name.

git keeps no record of a move. It is found as git itself finds one, by the content: a stack file that a commit adds is
what it removes elsewhere, where at least half is the same.
https://git-scm.com/docs/git-diff#Documentation/git-diff.txt--Mltngt
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.files.sources import STAGE_FILE
from delivery.git.repository import Repository

# Anywhere in the repository.
_EVERYWHERE = ":(top,glob)**/Pulumi.*.yaml"
_MOVES = (
    "diff-tree",
    "--stdin",
    "-r",
    "-z",
    "--raw",
    "--no-abbrev",
    "--find-renames",
    "-l1000",
    "--diff-filter=R",
)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move of a stack file.

    Attributes:
        stage: The stage as it is called now.
        old: The path before, from the top of the repository.
        new: The path afterwards.
        commit: The commit on the branch that brought it.
        position: The number of commits below it on the branch.
    """

    stage: str
    old: str
    new: str
    commit: str
    position: int

    @property
    def was_called(self) -> str:
        """The stage's name before, as in the file's name."""
        return _stage_of(self.old)


class Paths:
    """Which stage a path belongs to, at each commit of the branch."""

    def __init__(self, inside: Path) -> None:
        self._inside = PurePosixPath(inside.as_posix())
        self.moves: list[Move] = []

    def stage(self, path: str, position: int) -> str | None:
        """The stage whose stack file is at a path in a commit; None for every other file.

        Args:
            path: From the top of the repository.
            position: The number of commits below the commit on the branch, or below what brought it there.
        """
        later = [move for move in self.moves if move.old == path and position <= move.position]
        if later:
            return min(later, key=lambda move: move.position).stage
        own = PurePosixPath(path)
        match = STAGE_FILE.fullmatch(own.name)
        return match[1] if match and own.parent == self._inside else None

    def stage_named(self, name: str, position: int) -> str:
        """What a stage is called now that had this name at a commit, as in the tags of deployments."""
        later = [move for move in self.moves if move.was_called == name and position < move.position]
        return min(later, key=lambda move: move.position).stage if later else name

    def pathspecs(self) -> list[str]:
        """Every path at which a stack file of the project ever was, for git."""
        return [":(glob)Pulumi.*.yaml", *dict.fromkeys(f":(top,literal){move.old}" for move in self.moves)]

    def add(self, found: Iterable[Move]) -> bool:
        """Remember moves; returns whether one of them was new."""
        new = [move for move in found if move not in self.moves]
        self.moves += new
        return bool(new)


def moves(repository: Repository, added: Sequence[tuple[str, str, int, str, str]]) -> Iterator[Move]:
    """Where stack files came from that commits add.

    Args:
        repository: The repository.
        added: Commit, its first parent, its position on the branch, the path of the added file, and its stage.
    """
    if not added:
        return
    wanted = {(commit, path): (position, stage) for commit, _, position, path, stage in added}
    pairs = dict.fromkeys(f"{commit} {parent}\n" for commit, parent, *_ in added)
    fields = iter(repository.git(*_MOVES, "--", _EVERYWHERE, stdin="".join(pairs)).split("\0"))
    commit = ""
    for field in fields:
        if not field.startswith(":"):
            commit = field.strip()
            continue
        old, new = next(fields), next(fields)
        position, stage = wanted.get((commit, new), (0, ""))
        if stage and STAGE_FILE.fullmatch(PurePosixPath(old).name):
            yield Move(stage=stage, old=old, new=new, commit=commit, position=position)


def _stage_of(path: str) -> str:
    match = STAGE_FILE.fullmatch(PurePosixPath(path).name)
    return match[1] if match else ""
