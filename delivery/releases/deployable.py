"""Whether the commit that is checked out may be deployed to a stage: never one that is older than what runs."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import UserError
from delivery.git.repository import Repository

_SECONDS = 120
# Updates that did not deploy a program: refreshes, imports and the like.
_UPDATES_READ = 50
_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class Deployable:
    """The commit to deploy, and the one deployed last; None when none is known."""

    commit: str
    deployed: str | None


def deployable(project: Path, stage: str) -> Deployable:
    """Compare the checkout with the commit that Pulumi recorded for the stage's last update.

    A revert is a new commit on top, so it passes. A run that was overtaken does not, and neither does another branch.

    Raises:
        UserError: the checkout has uncommitted changes; or the commit is older than the deployed one, or of
            another line of history; or what was deployed cannot be read.
    """
    repository = Repository(project)
    if changed := repository.changed():
        raise UserError(
            f"{len(changed)} files differ from the commit, {changed[0]} first: what is deployed must be in git",
            "commit or remove them",
        )
    head = repository.resolve("HEAD")
    last = _last_deployed(project, stage)
    if last is not None and last != head:
        _refuse_older(repository, head, last, stage)
    return Deployable(commit=head, deployed=last)


def _refuse_older(repository: Repository, head: str, last: str, stage: str) -> None:
    if repository.try_git("cat-file", "-e", f"{last}^{{commit}}").returncode != 0:
        fix = (
            "this clone is shallow: `git fetch --unshallow` fetches the rest"
            if repository.shallow
            else f"`git fetch` it. {_ON_PURPOSE.format(stage=stage)}"
        )
        raise UserError(f"{stage} runs commit {last[:12]}, which this clone does not have", fix)
    if repository.is_ancestor(last, head):
        return
    if repository.is_ancestor(head, last):
        raise UserError(
            f"{stage} runs commit {last[:12]}, which is newer than {head[:12]}",
            "there is nothing to do if a newer run overtook this one. "
            "To go back, `git revert` and deploy that commit",
        )
    raise UserError(
        f"{stage} runs commit {last[:12]}, and {head[:12]} does not come after it: history was rewritten, or "
        f"this is another branch",
        f"deploy the branch that the stage follows. {_ON_PURPOSE.format(stage=stage)}",
    )


_ON_PURPOSE = "If history was rewritten on purpose, run `pulumi up --stack {stage}` once by hand"


def _last_deployed(project: Path, stage: str) -> str | None:
    """The commit of the last `pulumi up` that ended, whether or not it succeeded: it may have changed something."""
    command = ["pulumi", "stack", "history", "--json", "--stack", stage, "--page-size", str(_UPDATES_READ)]
    try:
        done = subprocess.run(
            [*command, "--page", "1"],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UserError(
            "pulumi is not installed", "install the Pulumi CLI, or open a sandbox shell"
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(
            f"the backend did not answer within {_SECONDS} s", "check PULUMI_BACKEND_URL"
        ) from None
    if done.returncode != 0:
        raise UserError(
            f"the history of {stage} cannot be read: {done.stderr.strip()}",
            f"check PULUMI_BACKEND_URL; a new stack is created once with `pulumi stack init {stage}`",
        )
    updates = _updates(done.stdout, stage)
    commits = (u.get("environment", {}).get("git.head") for u in updates if u.get("kind") == "update")
    return next((commit for commit in commits if commit), None)


def _updates(printed: str, stage: str) -> list[dict[str, Any]]:
    """What `pulumi stack history --json` printed: a list of updates, `null` or nothing where there was none."""
    try:
        found = json.loads(printed.strip() or "null")
    except ValueError:
        found = printed
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(update, dict) for update in found):
        line = next(iter(printed.strip().splitlines()), "")
        raise UserError(
            f"the history of {stage} cannot be read: `pulumi stack history --json` did not print a list "
            f"of updates, which begins with {line[:_SHOWN]!r}",
            "run that command, and repair what it reports; `command -v pulumi` shows which `pulumi` it is",
        )
    return found
