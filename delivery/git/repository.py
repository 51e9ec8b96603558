"""The git repository of a project, through the git command."""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from components.errors import UserError
from components.files.sources import PARTS, belongs, is_read
from delivery.git import whole, work_trees
from delivery.git.commits import FIELDS, LOG_FORMAT, Commit, commit_of
from delivery.git.environment import OPTIONS, environment
from delivery.git.unusable import unusable

GIT_SECONDS = 120
# What a user's own configuration may leave out.
_STATUS = (
    "status",
    "--porcelain",
    "--no-renames",
    "--untracked-files=normal",
    "--ignore-submodules=none",
    "-z",
)
# Everything in a commit, regardless of what is checked out elsewhere, and links as links.
_WHOLE = ("-c", "core.sparseCheckout=false", "-c", "core.symlinks=true")
# SHA-1 and SHA-256.
_DIGITS = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_AMBIGUOUS = re.compile(r"refname '(.+?)' is ambiguous")
_SHORT = re.compile(r"short (?:object ID|SHA1) \S+ is ambiguous")


class Repository:
    """The git repository that holds a project; the project may be a folder in it.

    Attributes:
        project: The project's folder.
        top: The repository's.
        shallow: True when the clone lacks older commits.
    """

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        done = self.try_git("rev-parse", "--show-toplevel", "--is-shallow-repository")
        if done.returncode != 0:
            raise unusable(self.project, done.stderr)
        top, _, shallow = done.stdout.removesuffix("\n").rpartition("\n")
        self.top = Path(top).resolve()
        self.shallow = shallow == "true"
        self._commits: set[str] = set()

    def git(self, *arguments: str, stdin: str | None = None, **more: str) -> str:
        """Run git in the project's folder and return what it printed, without the final newline.

        Raises:
            UserError: git is not installed, or failed; the message contains what it said.
        """
        done = self.try_git(*arguments, stdin=stdin, **more)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip()
            raise UserError(
                f"`git {' '.join(arguments)}` failed", "repair what git names, then run this again", said=said
            )
        return done.stdout.removesuffix("\n")

    def try_git(
        self, *arguments: str, stdin: str | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run git in the project's folder; the caller handles the exit code. What is not UTF-8 becomes U+FFFD.

        Raises:
            UserError: git is not installed, or did not end.
        """
        done = self._run(arguments, b"" if stdin is None else stdin.encode(), more)
        # Decoded here: text mode would change a file's line endings.
        out, err = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def _run(
        self, arguments: Sequence[str], stdin: bytes, more: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *OPTIONS, *arguments],
                cwd=self.project,
                env=environment(more),
                input=stdin,
                capture_output=True,
                timeout=GIT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise UserError("git is not installed", "install git") from None
        except subprocess.TimeoutExpired:
            raise UserError(
                f"`git {' '.join(arguments)}` did not end within {GIT_SECONDS} s",
                "find out what keeps git from ending, then run this again",
            ) from None

    def blobs(self, names: Iterable[str]) -> dict[str, str]:
        """The texts of blobs by their digits, read by one process however many there are."""
        wanted = list(dict.fromkeys(names))
        done = self._run(["cat-file", "--batch"], "\n".join([*wanted, ""]).encode(), {})
        found: dict[str, str] = {}
        at = 0
        for name in wanted:
            end = done.stdout.find(b"\n", at)
            kind, _, size = done.stdout[at:end].partition(b" blob ")
            if end < 0 or kind != name.encode():
                said = done.stdout[at:end].decode("utf-8", "replace") or done.stderr.decode(
                    "utf-8", "replace"
                )
                raise _unreadable(name, said.strip())
            at = end + 1 + int(size)
            found[name] = done.stdout[end + 1 : at].decode("utf-8", "replace")
            at += 1
        return found

    def resolve(self, revision: str) -> str:
        """All digits of a commit.

        Raises:
            UserError: there is no such commit here, with how to get it; or the name is that of several.
        """
        # Any other name may soon be that of another commit.
        if revision in self._commits:
            return revision
        done = self.try_git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        self._refuse_ambiguous(revision, done.stderr)
        if done.returncode == 0:
            commit = done.stdout.strip()
            self._commits.add(commit)
            return commit
        if revision == "HEAD" and self.unborn:
            raise UserError(
                f"HEAD names no commit of this repository: {self.branch} has none yet", "commit the project"
            )
        fix = (
            "this clone is shallow: `git fetch --unshallow` fetches the rest"
            if self.shallow
            else "`git fetch` it, or name another"
        )
        raise UserError(f"{revision} names no commit of this repository", fix)

    def _refuse_ambiguous(self, revision: str, said: str) -> None:
        """Refuse a name of several things: whoever may push a tag could otherwise choose what is compared."""
        if _SHORT.search(said):
            raise UserError(f"{revision} is the start of several objects' digits", "write more of its digits")
        for name in _AMBIGUOUS.findall(said):
            # All digits mean the object, and HEAD is what is checked out, whatever else has that name.
            if name == "HEAD" or _DIGITS.fullmatch(name):
                continue
            found = self.try_git("show-ref", name).stdout.splitlines()
            references = [line.partition(" ")[2] for line in found]
            raise UserError(
                f"{name} is the name of more than one thing in git: {', '.join(references) or name}",
                f"write the full name of the one that is meant, like refs/heads/{name}",
            )

    @property
    def branch(self) -> str | None:
        """The branch that is checked out; None when HEAD is detached."""
        return self.try_git("symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip() or None

    @property
    def unborn(self) -> bool:
        """True before the first commit of the branch that is checked out."""
        branch = self.try_git("symbolic-ref", "--quiet", "HEAD").stdout.strip()
        return bool(branch) and not self.exists(branch)

    def changed(self) -> list[str]:
        """The files that differ from HEAD or are not known to git, relative to the repository's top folder.

        What the program reads counts even where git overlooks it: files that are ignored, marked as unchanged, left out
        by a sparse checkout, or checked out as the text of a link.
        """
        lines = self.git(*_STATUS).split("\0")
        return sorted({*(line[3:] for line in lines if line), *self._overlooked()})

    def _overlooked(self) -> Iterator[str]:
        inside = self.project.relative_to(self.top)
        ignored = self.git("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *PARTS)
        for path in filter(is_read, ignored.split("\0")):
            yield str(inside / path)
        for line in self.git("ls-files", "-v", "--stage", "-z", "--", *PARTS).split("\0"):
            meta, _, path = line.partition("\t")
            if belongs(path) and self._differs(path, *meta.split()[:3]):
                yield str(inside / path)

    def _differs(self, path: str, tag: str, mode: str, blob: str) -> bool:
        """True where a file of the index differs on disk, and `git status` may not say so."""
        file = self.project / path
        if mode == whole.LINK:
            return not file.is_symlink()
        # A capital H is a file that git compares.
        return tag != "H" and (not file.exists() or self.git("hash-object", "--", path) != blob)

    def left_out(self) -> list[str]:
        """The files that the program reads and a sparse checkout leaves out, relative to the project."""
        lines = self.git("ls-files", "-t", "-z", "--", *PARTS).split("\0")
        found = (line[2:] for line in lines if line.startswith("S ") and is_read(line[2:]))
        return [path for path in found if not (self.project / path).exists()]

    def exists(self, reference: str) -> bool:
        """True when there is a reference with this full name, like `refs/heads/main`."""
        return self.try_git("show-ref", "--verify", "--quiet", reference).returncode == 0

    def is_ancestor(self, older: str, newer: str) -> bool:
        """True when a commit is the other one or an ancestor of it."""
        return self.try_git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def file(self, revision: str, path: str) -> str | None:
        """A file of the project at a commit; None when the commit has no such file."""
        done = self.try_git("show", f"{revision}:./{path}")
        return done.stdout if done.returncode == 0 else None

    def log(self, *arguments: str) -> list[Commit]:
        """The commits that `git log` returns for the arguments, the newest first."""
        fields = self.git("log", "-z", f"--format={LOG_FORMAT}", *arguments).split("\0")
        step = len(FIELDS) + 1
        return [commit_of(fields[at : at + step]) for at in range(0, len(fields) - 1, step)]

    @contextmanager
    def at(self, revision: str) -> Iterator[Path]:
        """The whole project as a commit has it, in a temporary folder that is removed afterwards.

        Folders that a killed run left are removed first.

        Raises:
            UserError: there is no such commit, or it does not contain the whole project.
        """
        inside, commit = self.project.relative_to(self.top), self.resolve(revision)
        self._remove_abandoned()
        with work_trees.folder() as tree:
            self.git(*_WHOLE, "worktree", "add", "--detach", "--quiet", str(tree), commit)
            try:
                whole.refuse_parts(self, commit, tree / inside, tree)
                yield tree / inside
            finally:
                self.git("worktree", "remove", "--force", str(tree))

    def _remove_abandoned(self) -> None:
        for tree in work_trees.abandoned(self.try_git("worktree", "list", "--porcelain").stdout):
            # Forced twice, since a run that was killed while git filled the tree leaves git's own lock on it.
            self.try_git("worktree", "remove", "--force", "--force", str(tree))
            work_trees.remove(tree)


def _unreadable(blob: str, said: str) -> UserError:
    if "promisor remote" in said:
        return UserError(
            "this clone has only a part of the objects (--filter), and the remote did not give the rest",
            "make the remote reachable, or clone without --filter",
            said=said,
        )
    return UserError(f"{blob} cannot be read: {said}", "`git fsck` names what is damaged")
