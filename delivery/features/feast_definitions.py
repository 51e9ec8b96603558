"""What a feature repository defines, as JSON, or everything that is wrong with it. Runs where Feast is installed.

Feast imports the modules, and checks them for an empty registry, as `feast apply` does before it writes. Definitions
that Feast accepts, but that a model could not read from, are refused here too.
"""

import ast
import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import feast
from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    OnDemandFeatureView,
    Project,
    RepoConfig,
    StreamFeatureView,
    ValueType,
)
from feast.base_feature_view import BaseFeatureView
from feast.feature_view import DUMMY_ENTITY_NAME
from feast.repo_contents import RepoContents
from feast.repo_operations import get_repo_files, parse_repo, py_path_to_module

from delivery.features.feast_repository import inside, place, said

_PROJECT = "definitions"
_CORRECT = "correct the definition, and run `make features` again"
_RENAME = "rename or remove one of them"
_Problems = Iterator[dict[str, Any]]


def definitions(repository: Path) -> dict[str, Any]:
    """What a feature repository defines.

    Returns `feast`, `entities`, `views` and `services` as in `features/definitions.yaml`; or `problems` alone, each
    with `file`, `line` (or null), `field`, `reason` and `fix`.

    Args:
        repository: The folder of the definitions.
    """
    with inside(repository):
        problems = list(_import_problems(repository))
        if problems:
            return {"problems": problems}
        contents = parse_repo(Path.cwd())
        reading = _Reading(repository, contents)
        found = {
            "feast": feast.__version__,
            "entities": {entity.name: _entity(entity) for entity in reading.entities},
            "views": {view.name: _view(view) for view in reading.views},
        }
        # Feast applies complete definitions, and only then knows the features of every service.
        steps = (reading.refused, reading.not_applied, reading.unreadable)
        problems = next(filter(None, (list(step()) for step in steps)), [])
        if problems:
            return {"problems": problems}
        return {**found, "services": {each.name: _service(each) for each in contents.feature_services}}


def _import_problems(repository: Path) -> _Problems:
    """What each module raises, and modules that Feast would find elsewhere. A mistake is reported once."""
    seen = set()
    for path in get_repo_files(Path.cwd()):
        name = py_path_to_module(path)
        file, line, fix = f"{repository.name}/{path.relative_to(Path.cwd().resolve())}", None, _CORRECT
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            file, line = place(error, repository) or (file, None)
            reason = f"Feast refuses it: {said(error)}"
        else:
            if Path(module.__file__ or "").resolve() == path:
                continue
            reason, fix = f"Feast takes another module for it, which is named {name}, too", "rename it"
        if (file, line, reason) not in seen:
            seen.add((file, line, reason))
            yield {"file": file, "line": line, "field": "", "reason": reason, "fix": fix}


def _store(folder: str) -> FeatureStore:
    """A new feature store in an empty folder."""
    config = RepoConfig(
        project=_PROJECT,
        provider="local",
        registry={"registry_type": "file", "path": f"{folder}/registry.db"},
        online_store={"type": "sqlite", "path": f"{folder}/online.db"},
        entity_key_serialization_version=3,
    )
    return FeatureStore(config=config)


class _Reading:
    """The objects that Feast found, and where each of them is defined."""

    def __init__(self, repository: Path, contents: RepoContents) -> None:
        self._repository = repository
        self._contents = contents
        self._places = dict(_places(repository.name))
        self.entities = [each for each in contents.entities if each.name != DUMMY_ENTITY_NAME]
        self.views = [
            *contents.feature_views,
            *contents.stream_feature_views,
            *contents.on_demand_feature_views,
        ]

    def refused(self) -> _Problems:
        """What Feast would silently apply, and should not."""
        for label in self._contents.label_views:
            reason = f"a {type(label).__name__} is not supported here: what a service takes from it would be unknown"
            yield self._problem(label, reason, "define another kind of view")
        for project in self._contents.projects:
            reason = "Feast applies only the project that feature_store.yaml names, another one in each stage"
            yield self._problem(project, reason, "remove it")
        for view in self.views:
            if not view.features:
                reason = "names no feature, so Feast would take every column of its source"
                yield self._problem(view, reason, "add Field(name=..., dtype=...) for each feature")
            unknown = sorted({*_entities(view)} - {each.name for each in self.entities})
            if unknown:
                reason = f"is of {', '.join(unknown)}, and no variable of a module holds such an entity"
                yield self._problem(view, reason, "give each entity a variable at the top of a module")
        yield from self._twice("entity", self.entities, str)
        yield from self._twice("view", self.views, str.lower)
        yield from self._twice("source", self._contents.data_sources, str.lower)
        yield from self._twice("service", self._contents.feature_services, str)

    def not_applied(self) -> _Problems:
        """Why Feast would not apply the definitions. No source is read, unless Feast must ask one for its columns."""
        with tempfile.TemporaryDirectory() as folder:
            store = _store(folder)
            refused = False
            for view in self.views:
                try:
                    store.registry.apply_feature_view(view, project=_PROJECT, commit=False)
                except (Exception, SystemExit) as error:
                    refused = True
                    yield self._problem(view, f"Feast refuses it: {said(error)}", _CORRECT)
            if refused:
                return
            self._contents.projects.append(Project(name=_PROJECT))
            try:
                store.plan(self._contents)
            except (Exception, SystemExit) as error:
                file, line = place(error, self._repository) or (self._repository.name, None)
                reason = f"Feast refuses the definitions: {said(error)}"
                yield {"file": file, "line": line, "field": "", "reason": reason, "fix": _CORRECT}

    def unreadable(self) -> _Problems:
        """What a model could not read from the services that Feast would apply."""
        known = {view.name for view in self.views}
        for service in self._contents.feature_services:
            owners: dict[str, str] = {}
            for projection in service.feature_view_projections:
                if projection.name not in known:
                    reason = f"takes {projection.name}, and no variable of a module holds such a view"
                    yield self._problem(service, reason, "give the view a variable at the top of a module")
                if projection.name_alias or projection.join_key_map:
                    reason = (
                        f"takes {projection.name} under another name, or by another key: not supported here"
                    )
                    yield self._problem(service, reason, "take the view as it is")
                for feature in (each.name for each in projection.features):
                    if (first := owners.get(feature)) is not None:
                        other = f" and from {projection.name}" if projection.name != first else " twice"
                        reason = (
                            f"takes {feature} from {first}{other}, and a model reads it by its name alone"
                        )
                        fix = "rename the feature in one view, or leave it out of one: view[['a', 'b']]"
                        yield self._problem(service, reason, fix)
                    owners[feature] = projection.name

    def _twice(self, what: str, objects: Iterable[Any], key: Callable[[str], str]) -> _Problems:
        """Two objects of one name; Feast keeps an arbitrary one, or refuses both without saying where they are."""
        first: dict[str, Any] = {}
        for each in objects:
            other = first.setdefault(key(each.name), each)
            if other is not each:
                file, line = self._place(other)
                reason = (
                    f"the {what} has the name of {other.name} in {file}{'' if line is None else f':{line}'}"
                )
                yield self._problem(each, reason, _RENAME)

    def _problem(self, thing: Any, reason: str, fix: str) -> dict[str, Any]:  # noqa: ANN401 - any of Feast's kinds
        file, line = self._place(thing)
        return {"file": file, "line": line, "field": thing.name, "reason": reason, "fix": fix}

    def _place(self, thing: object) -> tuple[str, int | None]:
        return self._places.get(id(thing), (self._repository.name, None))


def _places(folder: str) -> Iterator[tuple[int, tuple[str, int | None]]]:
    """File and line of each object in the variables of a module, by the object's identity."""
    for path in get_repo_files(Path.cwd()):
        values = vars(sys.modules[py_path_to_module(path)])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                name = node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            else:
                continue
            file = f"{folder}/{path.relative_to(Path.cwd().resolve())}"
            yield id(values.get(name)), (file, node.lineno)


def _entity(entity: Entity) -> dict[str, Any]:
    known = {} if entity.value_type is ValueType.UNKNOWN else {"valueType": entity.value_type.name}
    return {"joinKey": entity.join_key, **known}


def _view(view: BaseFeatureView) -> dict[str, Any]:
    kinds = {StreamFeatureView: "StreamFeatureView", OnDemandFeatureView: "OnDemandFeatureView"}
    return {
        "kind": next((name for kind, name in kinds.items() if isinstance(view, kind)), "FeatureView"),
        "entities": _entities(view),
        "features": {each.name: str(each.dtype) for each in view.features},
    }


def _entities(view: BaseFeatureView) -> list[str]:
    return [name for name in getattr(view, "entities", None) or () if name != DUMMY_ENTITY_NAME]


def _service(service: FeatureService) -> dict[str, Any]:
    taken: dict[str, set[str]] = {}
    for projection in service.feature_view_projections:
        taken.setdefault(projection.name, set()).update(each.name for each in projection.features)
    return {"features": {view: sorted(names) for view, names in taken.items()}}


def main() -> None:
    """Print what the folder in the only argument defines."""
    # Feast and the definitions may print, too.
    with contextlib.redirect_stdout(sys.stderr):
        found = definitions(Path(sys.argv[1]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
