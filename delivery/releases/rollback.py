"""Prepares the `git revert` of a model's last release in a stage, and refuses one that would undo more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from components.errors import SettingsError, UserError
from components.files.sources import Sources
from components.files.yaml_document import parse_document
from components.stack import load_stack
from delivery.git.branches import refuse_existing, with_trailers
from delivery.git.commits import Commit
from delivery.git.repository import Repository
from delivery.history.model_history import Change, history
from delivery.promotion.promote import write
from delivery.promotion.stack_edit import with_release
from delivery.releases.changes import Deployed, deployed, entries, entries_at, release
from delivery.releases.deployments import ref_part


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """A rollback that is allowed.

    Attributes:
        undone: The commit on the branch that is reverted.
        before: What the stage runs now.
        after: What it runs afterwards.
        diff: The revert as a unified diff.
        commit: The revert commit. It is in the repository, but not on a branch until `keep` creates one.
        forward: True where the release is itself a rollback, so that its revert goes forward again.
        reason: Why it is made, as in the commit; None where no reason was given.
    """

    model: str
    stage: str
    undone: str
    before: Deployed
    after: Deployed
    diff: str
    commit: str
    forward: bool
    reason: str | None

    @property
    def warning(self) -> str:
        """What to know before it is made, a line; empty for a rollback of a release."""
        if not self.forward:
            return ""
        return (
            f"{self.undone[:10]}, which would be reverted, is itself a rollback: it took {self.model} in {self.stage} "
            f"from {self.after.version} to {self.before.version}, and {self.after.version} would come back"
        )

    @property
    def branch(self) -> str:
        """The branch that `--commit` creates."""
        return f"rollback/{self.stage}/{self.model}/{ref_part(self.after.version)}"


@dataclass(frozen=True, kw_only=True)
class _Release:
    """The release that is reverted: a change that has a version before and after it."""

    change: Change
    before: Deployed
    after: Deployed

    @property
    def model(self) -> str:
        return self.change.model

    @property
    def stage(self) -> str:
        return self.change.stage

    @property
    def undone(self) -> Commit:
        """The commit on the branch."""
        return self.change.merge or self.change.commit


def rollback(repository: Repository, model: str, stage: str, reason: str | None = None) -> Rollback:
    """Make the revert commit in a temporary folder; none of the user's branches and files change.

    Args:
        repository: The project's repository.
        model: The model.
        stage: The stage.
        reason: Why, for the commit's message.

    Raises:
        UserError: there is nothing to go back to, the revert would undo something else or conflicts, or the
            stage would not be valid afterwards.
    """
    own = [c for c in history(repository).only(model, stage).changes if c.version_changed]
    last = _last_release(own, model, stage)
    undone = last.undone
    _refuse_more(repository, last)
    with repository.at("HEAD") as tree:
        commit = _revert(Repository(tree), last, reason)
        after = deployed(entries_at(repository, commit, stage).get(model))
        if after is None or after.version != last.before.version:
            raise UserError(f"the revert of {undone.revision[:10]} does not restore it", _instead(last))
        try:
            load_stack(Sources.of(tree), stage)
        except SettingsError as error:
            raise UserError(
                f"after the revert {stage} would not be valid", _instead(last), said=str(error)
            ) from None
        diff = repository.git("diff", "--no-color", "--no-ext-diff", "--no-textconv", f"{commit}^", commit)
    return Rollback(
        model=model,
        stage=stage,
        undone=undone.revision,
        before=last.after,
        after=after,
        diff=diff,
        commit=commit,
        forward=_is_rollback(own, last.change),
        reason=reason,
    )


def keep(repository: Repository, made: Rollback) -> None:
    """Put the revert commit on its branch.

    Raises:
        UserError: the branch exists, or the release is itself a rollback and no reason was given.
    """
    if made.forward and made.reason is None:
        raise UserError(
            f"{made.warning}",
            f'if that is intended, say why with --reason "..."; to go further back instead, `python -m '
            f"delivery promote {made.model} --from STAGE --to {made.stage} --version V --reason "
            '"..." --commit`',
        )
    refuse_existing(repository, made.branch)
    repository.git("branch", "--no-track", made.branch, made.commit)


def _last_release(own: Sequence[Change], model: str, stage: str) -> _Release:
    if not own:
        raise UserError(
            f"no commit of this branch gives {model} a version in Pulumi.{stage}.yaml",
            f"`python -m delivery history --stage {stage}` lists the models that have one",
        )
    last = own[0]
    if last.after is None:
        raise UserError(
            f"{stage} does not run {model} since {last.commit.revision[:10]} removed it",
            f"`git revert {(last.merge or last.commit).revision[:10]}` restores it",
        )
    if last.oldest_known:
        raise UserError(
            f"this clone is shallow and does not contain the release before {last.after.version}",
            "`git fetch --unshallow`",
        )
    if last.before is None:
        raise UserError(
            f"{last.after.version} is the first version of {model} in {stage}, so there is none to go back to",
            f"remove its entry from Pulumi.{stage}.yaml if it must not run",
        )
    return _Release(change=last, before=last.before, after=last.after)


def _is_rollback(own: Sequence[Change], last: Change) -> bool:
    """True when a release reverts another one; a rollback of a rollback does not count as one, and so on."""
    of = {commit.revision: change for change in own for commit in (change.commit, change.merge) if commit}
    steps, change = 0, last
    while change.reverts is not None:
        steps += 1
        target = of.pop(change.reverts, None)
        if target is None:
            break
        change = target
    return steps % 2 == 1


def _refuse_more(repository: Repository, last: _Release) -> None:
    """Refuse when the commit changed more than this model's version and digest in this stage."""
    undone = last.undone
    parent = undone.parents[0]
    more = list(_other_changes(repository, last, parent, undone.revision))
    if more:
        lines = "\n".join(f"  {line}" for line in more)
        raise UserError(
            f"reverting {undone.revision[:10]} ({undone.subject}) would also undo:\n{lines}", _instead(last)
        )


def _other_changes(repository: Repository, last: _Release, old: str, new: str) -> Iterator[str]:
    own = last.change.file
    changed = repository.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new).split("\0")
    for path in filter(None, changed):
        if path != own:
            yield f"the change of {path}"
    texts = [_text(repository, revision, own) for revision in (old, new)]
    before, after = (entries(text, own) for text in texts)
    for model in sorted({*before, *after}):
        if before.get(model) == after.get(model):
            continue
        found = release(last.stage, model, before.get(model), after.get(model))
        if model != last.model:
            yield f"{last.stage}: {model} {_named(found.before)} to {_named(found.after)}"
            continue
        for field in found.other_fields:
            yield f"{last.stage}: {model}: {field}"
        if found.before and found.after and found.before.replicas != found.after.replicas:
            yield f"{last.stage}: {model}: replicas {found.before.replicas} to {found.after.replicas}"
    settings = [_settings(text, own) for text in texts]
    for key in sorted({*settings[0], *settings[1]}):
        if settings[0].get(key) != settings[1].get(key):
            yield f"{last.stage}: {key}"


def _text(repository: Repository, revision: str, path: str) -> str:
    """A file at a commit, by its path from the top of the repository; empty where there is none."""
    done = repository.try_git("show", f"{revision}:{path}")
    return done.stdout if done.returncode == 0 else ""


def _settings(text: str, file: str) -> dict[str, Any]:
    """What a stack file says besides its models."""
    try:
        data = parse_document(text, file).data
    except SettingsError:
        return {}
    config = data.get("config")
    own = {f"config.{key}": value for key, value in config.items()} if isinstance(config, dict) else {}
    own.pop("config.ml-deployments:models", None)
    return {**{key: value for key, value in data.items() if key != "config"}, **own}


def _named(found: Deployed | None) -> str:
    return "nothing" if found is None else found.version


def _revert(tree: Repository, last: _Release, reason: str | None) -> str:
    """The revert commit, with git's own message and trailers."""
    undone = last.undone
    mainline = ["-m", "1"] if len(undone.parents) > 1 else []
    done = tree.try_git("revert", "--no-edit", *mainline, undone.revision)
    if done.returncode != 0:
        _resolve(tree, last, done.stderr.strip() or done.stdout.strip())
    trailers = {
        "Model": last.model,
        "Version": last.before.version,
        "Replaces": last.after.version,
        "To": last.stage,
        "Reason": reason,
    }
    # Written here: `git commit --trailer` follows the user's rules for trailers, which may leave them out.
    message = with_trailers(tree.git("log", "-1", "--format=%B").strip(), trailers)
    tree.git("commit", "--amend", "--quiet", "--file=-", stdin=message)
    return tree.resolve("HEAD")


def _resolve(tree: Repository, last: _Release, said: str) -> None:
    """Resolve what git reports as a conflict when only neighbouring lines changed since; refuse a real one."""
    undone = last.undone
    file = f"Pulumi.{last.stage}.yaml"
    conflicts = tree.git("diff", "--name-only", "--relative", "--diff-filter=U").splitlines()
    now = entries_at(tree, "HEAD", last.stage).get(last.model)
    then = entries(_text(tree, undone.revision, last.change.file), file).get(last.model)
    text = tree.file("HEAD", file)
    if conflicts != [file] or text is None:
        raise UserError(f"`git revert {undone.revision[:10]}` failed", _instead(last), said=said)
    if now != then:
        raise UserError(
            f"{last.model} was edited in {file} since {undone.revision[:10]} released {_named(last.after)}, "
            f"so reverting that commit conflicts:\n{_since(tree, last)}",
            _instead(last),
        )
    wanted = Deployed(version=last.before.version, digest=last.before.digest, replicas=None)
    write(tree.project / file, with_release(text, file, last.model, wanted))
    tree.git("add", "--", file)
    tree.git("revert", "--continue")


def _since(tree: Repository, last: _Release) -> str:
    """The commits that changed the stage's file since a release, a line each."""
    found = tree.log("--first-parent", f"{last.undone.revision}..HEAD", "--", f"Pulumi.{last.stage}.yaml")
    return "\n".join(f"  {commit.revision[:10]} {commit.subject} ({commit.author})" for commit in found)


def _instead(last: _Release) -> str:
    return (
        f'write version: "{last.before.version}" into Pulumi.{last.stage}.yaml in a separate commit with the '
        f"trailer `Reverts: {last.change.commit.revision[:10]}`, or let `python -m delivery promote {last.model} "
        f'--from STAGE --to {last.stage} --version {last.before.version} --reason "..." --commit` do it'
    )
