"""Promotes a version of a model from one stage to another: checks what must be true, and edits one entry."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from components.errors import ProblemsError, UserError
from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.settings.stack import StackSettings
from components.stack import load_stack
from delivery.git.branches import commit_file, refuse_edited, refuse_existing
from delivery.git.repository import Repository
from delivery.history.model_history import history
from delivery.policies.version_order import goes_back
from delivery.promotion.promotion import Promotion, Request
from delivery.promotion.stack_edit import with_release
from delivery.registries.facts import ReleaseFacts
from delivery.releases.changes import Deployed, deployed, entries_at
from delivery.releases.deployments import deployments

# Where a digest is required and not yet known, the files are checked with this placeholder; it is never written.
_ANY_DIGEST = f"sha256:{'0' * 64}"


class Ask(Protocol):
    """Asks the registries, as `release_facts` does."""

    def __call__(self, staged: StagedModel, running_version: str | None, *, image: bool) -> ReleaseFacts:
        """What they say about the version that the model has in its settings."""


def promote(repository: Repository, request: Request, ask: Ask) -> Promotion:
    """Edit the target stage's file in the work tree.

    Raises:
        SettingsError: a stage's files have problems, now or after the edit; nothing was changed.
        UserError: the promotion is refused; nothing was changed, and the message says why.
    """
    if left := repository.left_out():
        raise UserError(
            f"{left[0]} is left out of this sparse checkout, and a promotion in a partial project is not supported",
            "add it with `git sparse-checkout add`, or promote with --commit",
        )
    promotion = prepare(repository, Sources.of(repository.project), request, ask)
    write(repository.project / request.file, promotion.text)
    return promotion


def promote_on_branch(repository: Repository, request: Request, ask: Ask) -> tuple[Promotion, str]:
    """Make the edit in a commit on a new branch from HEAD; what is checked out stays as it is.

    Returns:
        The promotion and the commit.

    Raises:
        SettingsError, UserError: as `promote`; or the branch exists, or the file has uncommitted edits.
    """
    refuse_edited(repository, request.file)
    with repository.at("HEAD") as tree:
        promotion = prepare(repository, Sources.of(tree), request, ask)
        refuse_existing(repository, promotion.branch)
        write(tree / request.file, promotion.text)
        commit = commit_file(tree, request.file, promotion.message())
    repository.git("branch", "--no-track", promotion.branch, commit)
    return promotion, commit


def prepare(repository: Repository, sources: Sources, request: Request, ask: Ask) -> Promotion:
    """Prepare a promotion without changing anything.

    Args:
        repository: The repository whose history and HEAD count.
        sources: The files that are edited: the repository's own, or HEAD's.
        request: What was asked for.
        ask: Returns what the registries say about a model; called only where the files need it.

    Raises:
        SettingsError: a stage's files have problems, now or after the edit.
        UserError: the promotion is refused.
    """
    current = load_stack(sources, request.target).settings
    before = _running(current, request.model)
    _refuse_replicas(request, before)
    source = _in_source(repository, request)
    version = _version(request, source)
    pinned = source.digest if source is not None and source.version == version else None
    text = sources.read(request.file).decode("utf-8")
    wanted = Deployed(version=version, digest=pinned, replicas=request.replicas)
    _refuse_unseen(repository, request, wanted)
    required = current.require_digest
    assumed = replace(wanted, digest=_ANY_DIGEST) if required and pinned is None else wanted
    checked = with_release(text, request.file, request.model, assumed)
    stack = _validated(sources, request, checked)
    facts = _facts(stack, request, ask, wanted=wanted, before=before)
    if pinned is None and facts is not None and facts.digest is not None:
        wanted = replace(wanted, digest=facts.digest)
        _refuse_unseen(repository, request, wanted)
    if before is not None and (before.version, before.digest) == (version, wanted.digest):
        raise UserError(
            f"{request.target} runs {request.model} {version} already; there is nothing to promote",
            "name another version or another stage",
        )
    undone = _undone(repository, request, before, wanted)
    edited = with_release(text, request.file, request.model, wanted)
    if edited != checked:
        _validated(sources, request, edited)
    return Promotion(
        request=request,
        before=before,
        after=wanted,
        undone=undone,
        old_text=text,
        text=edited,
        facts=facts,
        notes=tuple(_notes(request, facts, before, wanted)),
    )


def write(path: Path, text: str) -> None:
    """Replace a file atomically, so that no reader sees a partial file.

    Raises:
        UserError: it is a symbolic link.
    """
    if path.is_symlink():
        raise UserError(
            f"{path.name} is a symbolic link, whose edit is not supported", "edit what it leads to by hand"
        )
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _running(stack: StackSettings, name: str) -> Deployed | None:
    model = next((model for model in stack.models if model.name == name), None)
    return (
        model
        if model is None
        else Deployed(version=model.version, digest=model.digest, replicas=model.replicas)
    )


def _refuse_replicas(request: Request, before: Deployed | None) -> None:
    """A new entry needs a number of replicas. An existing one keeps its own: a promotion changes one thing."""
    if before is None and request.replicas is None:
        raise UserError(
            f"{request.target} does not run {request.model} yet, and its number of replicas is not given",
            "add --replicas N",
        )
    if before is not None and request.replicas is not None:
        raise UserError(
            f"{request.target} runs {request.model} already, with {before.replicas} replicas, and --replicas is for a "
            f"model that is new there",
            f"leave --replicas out; to run more or fewer, change {request.file} in a separate commit",
        )


def _in_source(repository: Repository, request: Request) -> Deployed | None:
    if request.source is None:
        return None
    return deployed(entries_at(repository, "HEAD", request.source).get(request.model))


def _version(request: Request, source: Deployed | None) -> str:
    if request.version is not None:
        return request.version
    if source is None:
        raise UserError(
            f"Pulumi.{request.source}.yaml at HEAD gives {request.model} no version",
            "correct the model's name, commit its release there first, or give --version V",
        )
    return source.version


def _facts(
    stack: StackSettings, request: Request, ask: Ask, *, wanted: Deployed, before: Deployed | None
) -> ReleaseFacts | None:
    """What the registries say; None where the files need nothing from them."""
    required = stack.require_digest
    model = next(m for m in stack.models if m.name == request.model)
    if model.registered_model is None and not required:
        return None
    digests = required or wanted.digest is not None or (before is not None and before.digest is not None)
    known = model.model_copy(update={"digest": wanted.digest})
    facts = ask(StagedModel(known, stack), None if before is None else before.version, image=digests)
    if facts.problems:
        raise ProblemsError(
            f"{request.model} {wanted.version} is not promoted to {request.target}; nothing was changed.",
            (said.problem for said in facts.problems),
        )
    return facts


def _undone(repository: Repository, request: Request, before: Deployed | None, after: Deployed) -> str | None:
    """The commit whose release an older version undoes, which the policy on versions requires; else None."""
    if before is None or not goes_back(before.version, after.version):
        return None
    if request.reason is None:
        raise UserError(
            f"{request.model} {after.version} is older than {before.version}, which {request.target} runs",
            f"`python -m delivery rollback {request.model} --stage {request.target}`, or say why with "
            '--reason "..."',
        )
    past = history(repository).only(request.model, request.target).changes
    released = (c for c in past if c.version_changed and c.after and c.after.version == before.version)
    return next((change.commit.revision for change in released), None)


def _notes(
    request: Request, facts: ReleaseFacts | None, before: Deployed | None, after: Deployed
) -> Iterator[str]:
    if facts is None:
        yield (
            f"No registry was asked: {request.model} names no registered model, "
            f"and {request.target} requires no digests."
        )
    else:
        yield from facts.notes
        if facts.digest is None:
            yield f"The image was not checked: {request.target} pins no digest."
    if before is not None and before.digest and after.digest is None:
        yield f"The digest of {before.version} was removed, and that of {after.version} is not known."


def _validated(sources: Sources, request: Request, text: str) -> StackSettings:
    """The target stage after the edit; nothing is written."""
    return load_stack(sources.with_file(request.file, text), request.target).settings


def _refuse_unseen(repository: Repository, request: Request, wanted: Deployed) -> None:
    """Refuse what never ran in the source stage, unless there is a reason."""
    if request.source is None or request.reason is not None:
        return
    why = _unseen(repository, request, wanted, request.source)
    if why is not None:
        raise UserError(
            f"{request.model} {wanted.version} never ran in {request.source}: {why}",
            'deploy it there first, or say why not with --reason "..."',
        )


def _unseen(repository: Repository, request: Request, wanted: Deployed, source: str) -> str | None:
    """Why a version counts as one that never ran in the source stage; None when it did run."""
    tags = [tag for tag in deployments(repository) if tag.stage == source]
    if tags:
        own = [tag for tag in tags if tag.model == request.model and tag.version == wanted.version]
        if not own:
            return (
                f"no tag {source}/{request.model}/{wanted.version} records a deployment "
                f"(`git fetch --tags` fetches those that others made)"
            )
        digests = {tag.digest for tag in own if tag.digest}
        if wanted.digest and digests and wanted.digest not in digests:
            return (
                f"it ran there with another image, {', '.join(sorted(digests))}, and not with {wanted.digest}"
            )
        return None
    past = history(repository).only(request.model, source)
    if any(change.after and change.after.version == wanted.version for change in past.changes):
        return None
    more = (
        "; this clone is shallow, and `git fetch --unshallow` fetches older commits" if past.shallow else ""
    )
    return f"no commit of this branch names it in Pulumi.{source}.yaml{more}"
