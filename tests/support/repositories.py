"""Builds small git repositories for tests: real ones, in a folder of the test."""

import os
import subprocess
from pathlib import Path

from delivery.git.repository import Repository
from delivery.history.model_history import Change, history
from tests.support.projects import MODEL

MAIN = "main"
_START = 1_700_000_000


def stack(models: dict[str, str], stage: str = "staging") -> str:
    """A stack file; each model with its entry as it is written, like `{version: "v1", replicas: 2}`."""
    rows = "".join(f"    {name}: {entry}\n" for name, entry in models.items())
    return f"config:\n  ml-deployments:namespace: ml-{stage}\n  ml-deployments:models:\n{rows}"


def flow(version: str, replicas: int = 2, digest: str | None = None) -> str:
    pinned = f', digest: "{digest}"' if digest else ""
    return f'{{version: "{version}"{pinned}, replicas: {replicas}}}'


def git(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """Run git in a folder and return what it printed."""
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def init(folder: Path) -> None:
    """A repository with a user, whose branch is `main` and has no commit."""
    git(folder, "init", "--quiet", "--initial-branch", MAIN)
    identify(folder)


def identify(folder: Path) -> None:
    for key, value in (
        ("user.name", "Ada Example"),
        ("user.email", "ada@example.com"),
        ("commit.gpgsign", "false"),
    ):
        git(folder, "config", key, value)


class Work:
    """A git work tree whose clock advances by an hour with each commit and tag."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hours = 0

    @classmethod
    def new(cls, folder: Path, **models: str) -> "Work":
        """A repository whose first commit has `staging` and `production` with the given entries and model files."""
        folder.mkdir(parents=True, exist_ok=True)
        work = cls(folder)
        init(folder)
        entries = models or {"a": flow("v1")}
        files = {f"models/{name}.yaml": MODEL for name in entries}
        stacks = {f"Pulumi.{stage}.yaml": stack(entries, stage) for stage in ("staging", "production")}
        work.commit("Start", {**files, **stacks})
        return work

    def git(self, *arguments: str, **environment: str) -> str:
        when = f"{_START + 3600 * self.hours} +0000"
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        return git(self.folder, *arguments, **(dates | environment))

    def commit(
        self, message: str, files: dict[str, str], author: str = "Ada Example <ada@example.com>"
    ) -> str:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        self.hours += 1
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--author={author}", f"--message={message}")
        return self.head

    def release(self, stage: str, message: str = "Release", **models: str) -> str:
        """A commit that gives a stage these entries."""
        return self.commit(message, {f"Pulumi.{stage}.yaml": stack(models, stage)})

    def merge(self, branch: str, message: str = "Merge") -> str:
        self.hours += 1
        self.git("merge", "--quiet", "--no-ff", "--message", message, branch)
        return self.head

    def clone(self, folder: Path, *options: str) -> "Work":
        """A clone by the file protocol, as a remote one would be."""
        self.git("clone", "--quiet", *options, self.folder.as_uri(), str(folder))
        work = Work(folder)
        work.hours = self.hours
        identify(folder)
        return work

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def branches(self) -> set[str]:
        return set(self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines())

    @property
    def tags(self) -> list[str]:
        return self.git("tag", "--list").splitlines()

    def text(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def state(self) -> tuple[str, str, str]:
        """What a command that changes nothing must leave: HEAD, the branch and the work tree."""
        return self.head, self.git("branch", "--show-current"), self.git("status", "--porcelain")


def changes(work: Work, model: str | None = None, stage: str | None = None) -> list[Change]:
    """What the history shows of the commits, newest first."""
    return list(history(Repository(work.folder)).only(model, stage).changes)
