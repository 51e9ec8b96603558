"""Conflicts in a stage's feature store: between models, services, and the types that they read.

Two models of a stage conflict when a feature of one name has different types in the services they read, or when one
column identifies entities by different types. The same name with the same type is not a conflict, whatever its entity.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from components.checks.materialized import not_materialized
from components.errors import Problem
from components.feature_store.names import PARTS
from components.files.yaml_document import KeyPath
from components.loading.stack_files import LoadedStack, model_path
from components.loading.validation import problem_at
from components.settings.feature_definitions import FeatureDefinitions, ServiceDefinition
from components.settings.feature_store import FeatureStoreSettings
from components.settings.stack import PROJECT

_SERVICE: KeyPath = ("features", "service")


def feature_problems(loaded: LoadedStack) -> list[Problem]:
    """Every problem of a stage's models with its feature store."""
    if not loaded.definitions_known:
        return []
    readers = list(_readers(loaded))
    found = [problem for reader in readers for problem in _unreadable(reader, loaded)]
    found += _conflicts(readers, loaded)
    store = loaded.settings.feature_store
    if store is not None:
        found += _taken_names(loaded)
        found += _unknown_views(store, loaded)
    return found


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """A model, and the feature service that it reads."""

    model: str
    service: str


def _readers(loaded: LoadedStack) -> Iterator[_Reader]:
    for model in loaded.settings.models:
        if model.features is not None:
            yield _Reader(model=model.name, service=model.features.service)


def _unreadable(reader: _Reader, loaded: LoadedStack) -> Iterator[Problem]:
    if loaded.settings.feature_store is None:
        yield _of_model(
            loaded,
            reader.model,
            ("features",),
            "reads features, and the stage has no feature store",
            f"add {PROJECT}:featureStore to {loaded.file}, or remove the features with features: null",
            written=False,
        )
        return
    services = loaded.settings.definitions.services
    if reader.service not in services:
        close = get_close_matches(reader.service, services, n=1)
        known = ", ".join(sorted(services)) or "none"
        yield _of_model(
            loaded,
            reader.model,
            _SERVICE,
            "is not a FeatureService that features/ defines",
            f"{f'write {close[0]}, or define' if close else 'define'} it in features/; there are {known}",
        )


def _conflicts(readers: Iterable[_Reader], loaded: LoadedStack) -> Iterator[Problem]:
    definitions = loaded.settings.definitions
    seen: dict[str, tuple[str, _Reader]] = {}
    for reader in readers:
        service = definitions.services.get(reader.service)
        if service is None:
            continue
        for what, kind in _types(service, definitions).items():
            first_kind, first = seen.setdefault(what, (kind, reader))
            if first_kind != kind:
                yield _of_model(
                    loaded,
                    reader.model,
                    _SERVICE,
                    f"gives {what} as {kind}, and {first.service}, which {first.model} reads, as {first_kind}",
                    "give it one type in features/, or another name where it means something else",
                )


def _types(service: ServiceDefinition, definitions: FeatureDefinitions) -> dict[str, str]:
    """The type of each feature of a service, and of each column by which it is requested."""
    found: dict[str, str] = {}
    for name, features in service.features.items():
        view = definitions.views[name]
        found |= {f"the feature {feature}": view.features[feature] for feature in features}
        for entity in (definitions.entities[name] for name in view.entities):
            if entity.value_type is not None:
                found[f"the key {entity.join_key}"] = entity.value_type
    return found


def _taken_names(loaded: LoadedStack) -> Iterator[Problem]:
    for model in loaded.settings.models:
        if model.name in PARTS:
            reason = "is the name of a part of the stage's feature store"
            yield _of_model(loaded, model.name, (), reason, "rename the model", written=False)


def _unknown_views(store: FeatureStoreSettings, loaded: LoadedStack) -> Iterator[Problem]:
    materialized = loaded.settings.definitions.materialized
    for view in sorted(store.watch.freshness_by_view):
        if view not in materialized:
            yield not_materialized(loaded, ("featureStore", "watch", "freshnessByView", view))


def _of_model(
    loaded: LoadedStack, model: str, path: KeyPath, reason: str, fix: str, *, written: bool = True
) -> Problem:
    return problem_at(
        path,
        reason,
        fix,
        origins=loaded.origins.get(model, {}),
        file=loaded.file,
        prefix=model_path(model),
        written=written,
    )
