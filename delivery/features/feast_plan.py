"""What `feast apply` would change in a registry, as JSON. Runs where Feast is installed, and not in the program.

`feast plan` shows the same, but it reports each view that was ever materialised as changed, since a new creation time
of its source counts as a change. It also creates the tables of the registry, which a review must not do: here nothing
is written.
"""

import contextlib
import difflib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from feast import FeatureStore, Project, RepoConfig
from feast.diff.property_diff import TransitionType
from feast.diff.registry_diff import FeastObjectDiff
from feast.feature_view import DUMMY_ENTITY_NAME
from feast.infra.registry.sql import FeastRegistrySchemaError
from feast.repo_operations import parse_repo
from google.protobuf.json_format import MessageToDict
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from delivery.features.feast_repository import first_line, inside, place, said

_CHANGES = {TransitionType.CREATE: "new", TransitionType.UPDATE: "changed", TransitionType.DELETE: "removed"}
# What the registry adds to a definition, at any depth.
_NOT_DEFINED = frozenset(
    {"meta", "project", "createdTimestamp", "lastUpdatedTimestamp", "currentVersionNumber"}
)
_HEAD = frozenset({"---", "+++"})


class PlanError(Exception):
    """There is no plan; the message says why in one line."""


def plan(repository: Path, config: Path) -> dict[str, Any]:
    """What applying a feature repository would change.

    Returns `first`, true for an empty registry, and `changes`: objects with `change` (new, changed or removed), `kind`,
    `name` and `diff`, the lines of a unified diff.

    Args:
        repository: The folder of the definitions.
        config: feature_store.yaml; variables in it are replaced as Feast does.

    Raises:
        PlanError: the registry cannot be read, or Feast refuses the definitions.
    """
    try:
        settings = yaml.safe_load(os.path.expandvars(config.read_text(encoding="utf-8")))
    except yaml.YAMLError:
        raise PlanError(
            "the registry cannot be read: its URL has a quote, which must be written %27"
        ) from None
    try:
        if settings["registry"].get("registry_type") != "sql":
            return _planned(_differences(repository, settings))
        _check_url(settings["registry"]["path"])
        try:
            checked = {**settings["registry"], "schema_mode": "verify"}
            return _planned(_differences(repository, {**settings, "registry": checked}))
        except FeastRegistrySchemaError:
            with tempfile.TemporaryDirectory() as folder:
                empty = {"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"}
                return _planned(_differences(repository, {**settings, "registry": empty}), first=True)
    except PlanError:
        raise
    except SQLAlchemyError as error:
        raise PlanError(f"the registry cannot be read: {first_line(error)}") from error
    except (Exception, SystemExit) as error:
        # Feast runs the definitions, and they may raise anything.
        found = place(error, repository)
        where = "" if found is None else f"{found[0]}:{found[1]}: "
        raise PlanError(f"Feast refuses the definitions: {where}{said(error)}") from error


def _check_url(url: str) -> None:
    """Reports mistakes in the URL that would otherwise look like mistakes in the definitions."""
    try:
        make_url(url).get_dialect().import_dbapi()
    except ValueError:
        raise PlanError("the registry cannot be read: the port in its URL is not a number") from None
    except ImportError as error:
        raise PlanError(f"the registry cannot be read: its URL needs a driver: {first_line(error)}") from None


def _differences(repository: Path, settings: dict[str, Any]) -> list[FeastObjectDiff]:
    with inside(repository):
        contents = parse_repo(Path.cwd())
        if not contents.projects:
            contents.projects.append(Project(name=settings["project"]))
        store = FeatureStore(config=RepoConfig(**settings))
        changes, _, _ = store.plan(contents)
    found: list[FeastObjectDiff] = changes.feast_object_diffs
    return found


def _planned(differences: list[FeastObjectDiff], *, first: bool = False) -> dict[str, Any]:
    return {"first": first, "changes": [part for difference in differences for part in _part(difference)]}


def _part(difference: FeastObjectDiff) -> Iterator[dict[str, str]]:
    change = _CHANGES.get(difference.transition_type)
    if change is None or difference.name == DUMMY_ENTITY_NAME:
        return
    before, after = (_lines(each) for each in (difference.current_feast_object, difference.new_feast_object))
    lines = [line for line in difflib.unified_diff(before, after, n=2, lineterm="") if line[:3] not in _HEAD]
    if lines:
        text = "\n".join(line for line in lines if not line.startswith("@@"))
        kind = difference.feast_object_type.value
        yield {"change": change, "kind": kind, "name": difference.name, "diff": text}


def _lines(defined: Any) -> list[str]:  # noqa: ANN401 - any of Feast's kinds of objects
    if defined is None:
        return []
    proto = defined.to_proto()
    return yaml.safe_dump(_defined(MessageToDict(getattr(proto, "spec", proto)))).splitlines()


def _defined(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _defined(each) for name, each in value.items() if name not in _NOT_DEFINED}
    return [_defined(each) for each in value] if isinstance(value, list) else value


def main() -> int:
    """Returns the exit code: 1 when there is no plan."""
    repository, config = map(Path, sys.argv[1:])
    try:
        # Feast and the definitions may print, too.
        with contextlib.redirect_stdout(sys.stderr):
            planned = plan(repository, config)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(planned))
    return 0


if __name__ == "__main__":
    sys.exit(main())
