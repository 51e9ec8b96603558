"""What a change of the stack files means: which model gets which version in which stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import SettingsError
from components.files.sources import PROJECT, STAGE_FILE
from components.files.yaml_document import parse_document
from delivery.git.repository import Repository
from delivery.history.moves import moves


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What a stack file says about one model. `replicas` is None where the file has an invalid value."""

    version: str
    digest: str | None
    replicas: int | None


@dataclass(frozen=True, kw_only=True)
class Release:
    """One model of one stage in two commits; None where the stage does not run the model, or not yet.

    `other_fields` are the keys of the model's entry that differ besides version, digest and replicas.
    """

    stage: str
    model: str
    before: Deployed | None
    after: Deployed | None
    other_fields: tuple[str, ...] = ()

    @property
    def version_changed(self) -> bool:
        """True for a new model, a removed one and another version."""
        return (self.before and self.before.version) != (self.after and self.after.version)


Entries = Mapping[str, Mapping[str, Any]]


def stages_at(repository: Repository, revision: str) -> tuple[str, ...]:
    """The stages that have a stack file at a commit, by name."""
    names = repository.git("ls-tree", "--name-only", revision, "./").splitlines()
    found = (STAGE_FILE.fullmatch(Path(name).name) for name in names)
    return tuple(sorted(match[1] for match in found if match))


def entries_at(repository: Repository, revision: str, stage: str) -> Entries:
    """The models of a stage's stack file at a commit by name; empty when the file is missing or not readable."""
    text = repository.file(revision, f"Pulumi.{stage}.yaml")
    return {} if text is None else entries(text, f"Pulumi.{stage}.yaml")


def entries(text: str, file: str) -> Entries:
    """The models of a stack file's text by name; empty when it is not valid YAML. Old commits may contain anything."""
    try:
        config = parse_document(text, file).data.get("config")
    except SettingsError:
        return {}
    models = config.get(f"{PROJECT}:models") if isinstance(config, dict) else None
    found = models.items() if isinstance(models, dict) else ()
    return {name: entry for name, entry in found if isinstance(entry, dict)}


def deployed(entry: Mapping[str, Any] | None) -> Deployed | None:
    """What an entry of a stack file says about its model; None without an entry or without a version."""
    if entry is None or not isinstance(entry.get("version"), str):
        return None
    digest, replicas = entry.get("digest"), entry.get("replicas")
    return Deployed(
        version=entry["version"],
        digest=digest if isinstance(digest, str) else None,
        replicas=replicas if isinstance(replicas, int) else None,
    )


def releases(repository: Repository, base: str, head: str) -> list[Release]:
    """Every model whose entry in a stack file differs between two commits, by stage and name."""
    found = []
    for stage in sorted({*stages_at(repository, base), *stages_at(repository, head)}):
        old, new = _entries_before(repository, base, head, stage), entries_at(repository, head, stage)
        found += [
            release(stage, name, old.get(name), new.get(name))
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        ]
    return found


def _entries_before(repository: Repository, base: str, head: str, stage: str) -> Entries:
    """A stage's models at BASE, also where its stack file was at another path there."""
    file = f"Pulumi.{stage}.yaml"
    if repository.file(base, file) is not None:
        return entries_at(repository, base, stage)
    new = (repository.project.relative_to(repository.top) / file).as_posix()
    for move in moves(repository, [(head, base, 0, new, stage)]):
        return entries(repository.git("show", f"{base}:{move.old}"), file)
    return {}


def release(stage: str, model: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Release:
    """Two entries of a model's stack file as a release."""
    before, after = old or {}, new or {}
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    return Release(
        stage=stage,
        model=model,
        before=deployed(old),
        after=deployed(new),
        other_fields=tuple(sorted(keys - {"version", "digest", "replicas"})),
    )
