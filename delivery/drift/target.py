"""What a stage should be: rendered from a commit, or from the files as they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.files.sources import Sources
from components.settings.stack import StackSettings
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.releases.deployments import deployments
from delivery.rendering.stage_at import StageAt

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the cluster is compared with; `revision` is None for the files as they are."""

    settings: StackSettings
    manifests: tuple[dict[str, Any], ...]
    revision: str | None
    notes: tuple[str, ...] = ()


def target(project: Path, stage: str, *, revision: str | None = None, work_tree: bool = False) -> Target:
    """The objects of a stage at a commit, by default the one that is checked out.

    Without a git repository these are the files as they are, and a note says so.

    Raises:
        UserError: there is no such commit, or it has no such stage.
        SettingsError, ProgramError: the files have problems.
    """
    if work_tree:
        return _target(StageAt(sources=Sources.of(project), stage=stage))
    try:
        repository = Repository(project)
    except UserError as error:
        if revision is not None:
            raise
        note = f"compared with the files as they are: {error}"
        return _target(StageAt(sources=Sources.of(project), stage=stage), note)
    commit = repository.resolve(revision or "HEAD")
    changed = repository.changed() if revision is None else []
    with sources_at(repository, commit) as sources:
        if stage not in sources.stages:
            raise UserError(
                f"Pulumi.{stage}.yaml does not exist at {commit[:12]}",
                "commit it, or compare with the files as they are with --work-tree",
            )
        return _target(StageAt(sources=sources, stage=stage, commit=commit), *_uncommitted(changed))


def refuse_overtaken(project: Path, found: Target) -> None:
    """Refuse to heal towards a commit that does not contain the newest tagged deployment: that would undo it.

    Raises:
        UserError: the stage runs what the commit does not contain.
    """
    if found.revision is None:
        return
    repository, stage = Repository(project), found.settings.stage
    last = next((d for d in reversed(deployments(repository)) if d.stage == stage), None)
    if last is not None and not repository.is_ancestor(last.commit, found.revision):
        more = ", or `git fetch --unshallow`, since this clone is shallow" if repository.shallow else ""
        raise UserError(
            f"the tag {last.name} says that {stage} runs {last.commit[:12]}, which {found.revision[:12]} does not "
            f"contain: a heal would undo that deployment",
            f"`git pull`{more}, then heal again",
        )


def _uncommitted(changed: list[str]) -> tuple[str, ...]:
    if not changed:
        return ()
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return (
        f"uncommitted changes are ignored ({', '.join(changed[:_SHOWN])}{more}); --work-tree includes them",
    )


def _target(at: StageAt, *notes: str) -> Target:
    return Target(settings=at.settings, manifests=tuple(at.manifests), revision=at.commit, notes=notes)
