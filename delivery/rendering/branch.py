"""Keeps the branch `rendered/<stage>`: the manifests of a stage, a commit for each source commit that was rendered."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import Problem, SettingsError, UserError
from delivery.git.repository import Repository
from delivery.output import listed
from delivery.releases.changes import stages_at
from delivery.rendering.remote import newest
from delivery.rendering.render import file_name, files, manifests

SOURCE, STAGE = "Source-Commit", "Stage"


@dataclass(frozen=True, kw_only=True)
class RenderedCommit:
    """What was done: the branch, its commit, the source commit, and whether the commit is new."""

    branch: str
    revision: str
    source: str
    created: bool


def branch_name(stage: str) -> str:
    """`rendered/staging`."""
    return f"rendered/{stage}"


def render_commit(
    repository: Repository, stage: str, revision: str, *, remote: str | None = None, any_order: bool = False
) -> RenderedCommit:
    """Render a stage as a commit has it and put the manifests on the stage's branch; never touches the work tree.

    The new commit has the message and dates of the source commit, so the same source on the same branch is the same
    commit wherever it is rendered. It is made even if no manifest changed: the branch's tip always names the
    source commit that the cluster runs.

    Args:
        repository: Where both branches are.
        stage: As in Pulumi.<stage>.yaml.
        revision: The source commit.
        remote: The remote whose branch is continued; it is fetched.
        any_order: Allow a source commit that does not contain the commit that the branch shows.

    Raises:
        UserError: there is no such commit or stage, the branch shows a newer commit, or it moved meanwhile.
        ProgramError: the program refused its settings.
        SettingsError: a Secret would be in plain text.
    """
    source, branch = repository.resolve(revision), branch_name(stage)
    if stage not in (known := stages_at(repository, source)):
        raise UserError(
            f"Pulumi.{stage}.yaml does not exist in {revision}; its stages are {listed(known)}",
            "name one of them. To take down a removed stage, remove what follows its branch",
        )
    local = repository.try_git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").stdout.strip()
    tip = newest(repository, branch, local, remote)
    shown = repository.log("-1", tip)[0].trailers.get(SOURCE) if tip else None
    if tip and shown is None:
        raise UserError(
            f"The tip of {branch}, {tip[:12]}, has no line {SOURCE}: it was not rendered",
            f"remove it from {branch}; change what runs on the source branch",
        )
    if shown and not any_order:
        _refuse_older(repository, branch, shown, source)
    made = tip if shown == source else _commit(repository, stage, source, tip)
    if made != local:
        _move(repository, branch, made, local)
    return RenderedCommit(branch=branch, revision=made, source=source, created=made != tip)


def refuse_secrets(found: list[dict[str, Any]], stage: str) -> None:
    """Refuse Secrets with content: everyone who reads the branch could read it.

    Raises:
        SettingsError: names each of them.
    """
    problems = [
        Problem(
            file=file_name(manifest),
            field=key,
            reason=f"the Secret {manifest['metadata']['name']} of {stage} would be in git in plain text",
            fix="create the Secret in the cluster, by an ExternalSecret or a SealedSecret, and name it in the files",
        )
        for manifest in found
        for key in ("data", "stringData")
        if manifest["kind"] == "Secret" and manifest.get(key)
    ]
    if problems:
        raise SettingsError(problems)


def _refuse_older(repository: Repository, branch: str, shown: str, source: str) -> None:
    """Refuse a late run, and one whose source branch was rewritten: they would take the cluster back."""
    if repository.is_ancestor(shown, source):
        return
    if repository.shallow:
        raise UserError(
            f"Whether {source[:12]} follows {shown[:12]}, which {branch} shows, is not known: this clone is "
            "shallow",
            "`git fetch --unshallow`",
        )
    older = repository.is_ancestor(source, shown)
    raise UserError(
        f"{branch} shows {shown[:12]}, which {source[:12]} "
        + ("is older than" if older else "does not contain")
        + "; the cluster would go back",
        "render a commit that contains it, roll back with `git revert`, "
        "or add --any-order if the branch really should show this one",
    )


def _commit(repository: Repository, stage: str, source: str, parent: str) -> str:
    with repository.at(source) as project:
        found = manifests(project, stage)
    refuse_secrets(found, stage)
    said = repository.git(
        "show", "--no-patch", "--format=%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%s", source
    )
    author, address, written, committer, committer_address, committed, subject = said.split("\0")
    return repository.git(
        "-c",
        "i18n.commitEncoding=UTF-8",
        "commit-tree",
        _tree(repository, files(found)),
        *(("-p", parent) if parent else ()),
        stdin=f"{subject or f'Render {source}'}\n\n{SOURCE}: {source}\n{STAGE}: {stage}\n",
        GIT_AUTHOR_NAME=author or address,
        GIT_AUTHOR_EMAIL=address,
        GIT_AUTHOR_DATE=written,
        GIT_COMMITTER_NAME=committer or committer_address,
        GIT_COMMITTER_EMAIL=committer_address,
        GIT_COMMITTER_DATE=committed,
    )


def _tree(repository: Repository, texts: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory(prefix="ml-deployments-") as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        paths = "".join(f"{Path(folder) / name}\n" for name in texts)
        blobs = repository.git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths).splitlines()
    entries = (f"100644 blob {blob}\t{name}\0" for name, blob in zip(texts, blobs, strict=True))
    return repository.git("mktree", "-z", stdin="".join(entries))


def _move(repository: Repository, branch: str, new: str, old: str) -> None:
    """Move the branch, if it still is where it was: another run must not be overwritten."""
    if f"branch refs/heads/{branch}" in repository.git("worktree", "list", "--porcelain").splitlines():
        raise UserError(f"{branch} is checked out", "`git switch` to another branch there")
    done = repository.try_git("update-ref", f"refs/heads/{branch}", new, old or "0" * len(new))
    if done.returncode != 0:
        raise UserError(
            f"{branch} moved while this ran ({done.stderr.strip()}); nothing was changed", "run this again"
        )
