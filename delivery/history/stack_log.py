"""The commits that changed stack files, read by a few git processes however long the history is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from components.errors import UserError
from delivery.git.commits import LOG_FORMAT, Commit, commit_of
from delivery.git.repository import Repository
from delivery.git.whole import LINK, refuse_filtered
from delivery.history.moves import Move, Paths, moves
from delivery.history.past_entries import PastEntries
from delivery.releases.changes import Entries

_RAW = ("log", "-z", "--raw", "--no-abbrev", "--no-renames", f"--format={LOG_FORMAT}")


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A stage's stack file before and after a commit, by the names of its blobs; None where there is no file.

    Attributes:
        path: Where it is, from the top of the repository; after a move, the new place.
        link: True where it is a symbolic link afterwards: the blob is where it leads to.
    """

    stage: str
    path: str
    before: str | None
    after: str | None
    link: bool = False


@dataclass(frozen=True, kw_only=True)
class StackCommit:
    """A commit and how it changed stack files, compared with its first parent.

    Attributes:
        sources: For a merge: the commits it brought in that changed stack files, the newest first.
        oldest_known: True where a shallow clone ends: what came before is missing.
    """

    commit: Commit
    files: tuple[FileChange, ...]
    sources: "tuple[StackCommit, ...]" = ()
    oldest_known: bool = False


class StackLog:
    """What the first-parent history of a commit says of the stack files; the newest commit comes first.

    First parents are the states of the branch itself: a merge counts when it was merged, with everything it brought in.
    A stack file is followed to the paths that it had before.
    """

    def __init__(self, repository: Repository, revision: str = "HEAD") -> None:
        self.repository = repository
        self.head = repository.resolve(revision)
        self._paths = Paths(repository.project.relative_to(repository.top))
        self.commits = self._commits()
        self._refuse_unreadable()
        self._entries = PastEntries(repository.blobs(_blob_names(self.commits)))

    def entries(self, stage: str, blob: str | None) -> Entries:
        """The models of a stack file's blob, by name; empty without one and where it is not valid YAML."""
        return {} if blob is None else self._entries.of(blob, f"Pulumi.{stage}.yaml")

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves that were followed."""
        return tuple(self._paths.moves)

    def stage_named(self, name: str, commit: str) -> str:
        """What a stage is called now that had this name when a commit was the newest."""
        return self._paths.stage_named(name, self.entered.get(commit, len(self.entered)))

    @cached_property
    def graph(self) -> Mapping[str, Sequence[str]]:
        """The parents of every commit in the history of the revision."""
        lines = self.repository.git("rev-list", "--topo-order", "--parents", self.head).splitlines()
        rows = (line.split() for line in lines)
        return {row[0]: row[1:] for row in rows}

    @cached_property
    def entered(self) -> Mapping[str, int]:
        """When each commit came in: the position, from 0 at the root, of the first-parent commit that brought it."""
        chain = []
        at: str | None = self.head
        while at is not None:
            chain.append(at)
            at = next(iter(self.graph.get(at, ())), None)
        found: dict[str, int] = {}
        for position, revision in enumerate(reversed(chain)):
            waiting = [revision]
            while waiting:
                commit = waiting.pop()
                if commit not in found:
                    found[commit] = position
                    waiting += self.graph.get(commit, ())
        return found

    def _commits(self) -> tuple[StackCommit, ...]:
        chain = list(self._log("--first-parent"))
        # Each round follows the files to the paths that the round before found.
        while self._paths.add(moves(self.repository, self._added(chain))):
            chain = list(self._log("--first-parent"))
        if any(len(each.commit.parents) > 1 for each in chain):
            # Merges into a branch change nothing themselves, except to resolve conflicts; those count for the merge.
            brought: dict[int, list[StackCommit]] = defaultdict(list)
            for side in self._log("--full-history", "--no-merges", "--topo-order"):
                brought[self.entered[side.commit.revision]].append(side)
            chain = [
                replace(each, sources=tuple(brought[self.entered[each.commit.revision]]))
                if len(each.commit.parents) > 1
                else each
                for each in chain
            ]
        boundary = self._boundary()
        return tuple(replace(each, oldest_known=each.commit.revision in boundary) for each in chain)

    def _added(self, chain: Sequence[StackCommit]) -> list[tuple[str, str, int, str, str]]:
        """What `moves` asks about: the stack files that commits of the branch add."""
        return [
            (commit.revision, commit.parents[0], self.entered[commit.revision], file.path, file.stage)
            for commit, files in ((each.commit, each.files) for each in chain)
            for file in files
            if file.before is None and commit.parents
        ]

    def _log(self, *arguments: str) -> Iterator[StackCommit]:
        said = self.repository.git(*_RAW, *arguments, self.head, "--", *self._paths.pathspecs())
        fields = said.split("\0")
        # What ends a commit's own fields is one more.
        step = LOG_FORMAT.count("%x00") + 1
        at = 0
        while at + step <= len(fields):
            commit = commit_of(fields[at : at + step])
            at += step
            files: list[FileChange] = []
            while at < len(fields) and fields[at].lstrip("\n").startswith(":"):
                stage = self._paths.stage(fields[at + 1], self.entered[commit.revision])
                files += [] if stage is None else [_file_change(fields[at], fields[at + 1], stage)]
                at += 2
            yield StackCommit(commit=commit, files=tuple(_without_moves(files)))

    def _refuse_unreadable(self) -> None:
        """Refuse stack files that differ from what git stores of them; their past is not checked."""
        newest: dict[str, FileChange] = {}
        for file in (file for each in self.commits for file in each.files):
            newest.setdefault(f"Pulumi.{file.stage}.yaml", file)
        for name, file in newest.items():
            if file.link:
                raise UserError(
                    f"{name} is a symbolic link, and the history of what it leads to is not supported",
                    "put the file itself in its place",
                )
        refuse_filtered(self.repository, self.repository.project, sorted(newest))

    def _boundary(self) -> set[str]:
        """The commits whose parents a shallow clone lacks."""
        if not self.repository.shallow:
            return set()
        path = self.repository.git("rev-parse", "--git-path", "shallow")
        return set((self.repository.project / path).read_text(encoding="utf-8").split())


def _file_change(meta: str, path: str, stage: str) -> FileChange:
    _, mode, before, after, _ = meta.lstrip("\n").split()
    return FileChange(
        stage=stage,
        path=path,
        before=before if before.strip("0") else None,
        after=after if after.strip("0") else None,
        link=mode == LINK,
    )


def _without_moves(files: Sequence[FileChange]) -> Iterator[FileChange]:
    """The changes of a commit, with a file that is removed at one path and added at another as one change."""
    removed = {file.stage: file for file in files if file.after is None}
    added = {file.stage for file in files if file.before is None}
    for file in files:
        if file.before is None and file.stage in removed:
            yield replace(file, before=removed[file.stage].before)
        elif file.after is not None or file.stage not in added:
            yield file


def _blob_names(commits: Sequence[StackCommit]) -> Iterator[str]:
    for each in commits:
        for file in each.files:
            yield from (name for name in (file.before, file.after) if name is not None)
        yield from _blob_names(each.sources)
