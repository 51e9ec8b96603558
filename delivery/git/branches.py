"""Commits on new branches, made without touching what is checked out."""

from collections.abc import Mapping
from pathlib import Path

from components.errors import UserError
from delivery.git.repository import Repository


def refuse_existing(repository: Repository, branch: str) -> None:
    """Refuse an existing branch, before any work is done."""
    if repository.exists(f"refs/heads/{branch}"):
        raise UserError(
            f"the branch {branch} exists already",
            f"`git push` it if it is what you want, or remove it with "
            f"`git branch -D {branch}` and run this again",
        )


def refuse_edited(repository: Repository, file: str) -> None:
    """Refuse a file with uncommitted edits: the new commit would not contain them, and would conflict later."""
    inside = repository.project.relative_to(repository.top)
    if str(inside / file) in repository.changed():
        raise UserError(
            f"{file} has edits that are not committed, and --commit works on what is committed",
            f"commit them, or put them aside with `git stash push {file}`",
        )


def with_trailers(subject: str, trailers: Mapping[str, str | None]) -> str:
    """A commit's message that ends in trailers; those of None are left out, each value becomes one line."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value]
    return "\n".join([subject, "", *lines, ""])


def commit_file(tree: Path, file: str, message: str) -> str:
    """Commit one changed file in a work tree that has no branch; returns the commit."""
    own = Repository(tree)
    own.git("add", "--", file)
    own.git("commit", "--quiet", "--file=-", stdin=message)
    return own.resolve("HEAD")


def push_hint(repository: Repository, branch: str) -> str:
    """The command that publishes a branch."""
    remotes = repository.git("remote").splitlines()
    remote = "origin" if "origin" in remotes or not remotes else remotes[0]
    return f"git push --set-upstream {remote} {branch}"
