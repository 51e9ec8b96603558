"""The branch `rendered/<stage>` of a remote: where to continue from, and how to push it."""

from components.errors import UserError
from delivery.git.repository import Repository


def newest(repository: Repository, branch: str, local: str, remote: str | None) -> str:
    """The commit to continue from: the local branch's or the remote's, whichever contains the other; empty for none.

    Without a remote only the local branch counts, or, in a clone that has none yet, the only remote's as last fetched.

    Raises:
        UserError: the two have diverged, the remote cannot be reached, or several remotes have the branch.
    """
    if remote is not None:
        theirs = _fetched(repository, branch, remote)
    elif local:
        return local
    else:
        theirs = _last_fetched(repository, branch)
    if not local or not theirs or local == theirs:
        return theirs or local
    for older, newer in ((local, theirs), (theirs, local)):
        if repository.is_ancestor(older, newer):
            return newer
    raise UserError(
        f"{branch} and {remote}'s have diverged: {local[:12]} here, {theirs[:12]} there",
        f"`git branch --force {branch} {remote}/{branch}` if the remote is right, then run this again",
    )


def push(repository: Repository, branch: str, remote: str) -> None:
    """Push the branch, never by force.

    Raises:
        UserError: the remote refused, or could not be reached.
    """
    done = repository.try_git(
        "push", "--quiet", "--no-follow-tags", remote, f"refs/heads/{branch}:refs/heads/{branch}"
    )
    if done.returncode == 0:
        return
    said = done.stderr.strip()
    fix = (
        "run this again; it continues from the remote's branch"
        if "rejected" in said
        else f"make sure that `git push {remote}` works"
    )
    raise UserError(f"{branch} was not pushed to {remote}", fix, said=said)


def _fetched(repository: Repository, branch: str, remote: str) -> str:
    listed = repository.try_git("ls-remote", "--exit-code", remote, f"refs/heads/{branch}")
    if listed.returncode == 0:
        repository.git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-prune",
            remote,
            f"+refs/heads/{branch}:{_tracking(branch, remote)}",
        )
        return repository.resolve(_tracking(branch, remote))
    # 2 says that the remote was reached and has no such branch.
    if listed.returncode == 2:  # noqa: PLR2004
        return ""
    raise UserError(
        f"The remote {remote} could not be asked for {branch}: {listed.stderr.strip()}",
        "name a remote of `git remote -v` that can be reached",
    )


def _last_fetched(repository: Repository, branch: str) -> str:
    found = repository.git("for-each-ref", "--format=%(objectname)", f"refs/remotes/*/{branch}").split()
    if len(set(found)) > 1:
        raise UserError(
            f"Several remotes have a branch {branch}, and this clone has none",
            f"`git branch {branch} <remote>/{branch}`, or name the remote with --push",
        )
    return found[0] if found else ""


def _tracking(branch: str, remote: str) -> str:
    return f"refs/remotes/{remote}/{branch}"
