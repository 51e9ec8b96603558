"""What of a stage's feature store does not fit together: models, services, and the types of what they read.

Two models of a stage conflict when a feature of one name has different types in the services they read, or when one
column tells entities apart by different types. The same name with the same type is no conflict, whatever its entity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from components.feature_store.names import PARTS
from components.files.problems import Problem
from components.files.yaml_document import KeyPath, Origin
from components.loading.validation import problem_at
from components.settings.feature_definitions import FeatureDefinitions, ServiceDefinition
from components.settings.feature_store import FeatureStoreSettings
from components.settings.model import ModelSettings
from components.settings.stack import PROJECT, StackSettings

_SERVICE: KeyPath = ("features", "service")


def feature_problems(
    stack: StackSettings,
    stage_origins: Mapping[KeyPath, Origin],
    origins: Mapping[str, Mapping[KeyPath, Origin]],
) -> list[Problem]:
    """Every problem of a stage's models with its feature store.

    Args:
        stack: The stage.
        stage_origins: Where each value of the stack file came from.
        origins: Where each value of each model came from, by the model's name.
    """
    found: list[Problem] = []
    for model in stack.feature_readers:
        found += _unreadable(model, stack, origins.get(model.name, {}))
    found += _conflicts(stack, origins)
    store = stack.feature_store
    if store is not None:
        found += _taken_names(stack, origins)
        found += _unknown_views(store, stack, stage_origins)
    return found


def _unreadable(
    model: ModelSettings, stack: StackSettings, origins: Mapping[KeyPath, Origin]
) -> Iterator[Problem]:
    assert model.features is not None
    file, prefix = _where(stack, model)
    if stack.feature_store is None:
        yield problem_at(
            ("features",),
            "reads features, and the stage has no feature store",
            f"add {PROJECT}:featureStore to {file}, or take the features away with features: null",
            origins=origins,
            file=file,
            prefix=prefix,
            written=False,
        )
        return
    services = stack.definitions.services
    if model.features.service not in services:
        close = get_close_matches(model.features.service, services, n=1)
        known = ", ".join(sorted(services)) or "none"
        yield problem_at(
            _SERVICE,
            "is no FeatureService that features/ defines",
            f"{f'write {close[0]}, or define' if close else 'define'} it in features/; there are {known}",
            origins=origins,
            file=file,
            prefix=prefix,
        )


def _conflicts(stack: StackSettings, origins: Mapping[str, Mapping[KeyPath, Origin]]) -> Iterator[Problem]:
    seen: dict[str, tuple[str, ModelSettings]] = {}
    for model in stack.feature_readers:
        assert model.features is not None
        service = stack.definitions.services.get(model.features.service)
        if service is None:
            continue
        for what, kind in _types(service, stack.definitions).items():
            first_kind, first = seen.setdefault(what, (kind, model))
            if first_kind == kind:
                continue
            assert first.features is not None
            file, prefix = _where(stack, model)
            yield problem_at(
                _SERVICE,
                f"gives {what} as {kind}, and {first.features.service}, which {first.name} reads, as {first_kind}",
                "give it one type in features/, or another name where it means something else",
                origins=origins.get(model.name, {}),
                file=file,
                prefix=prefix,
            )


def _types(service: ServiceDefinition, definitions: FeatureDefinitions) -> dict[str, str]:
    """The type of each feature of a service, and of each column it is asked by."""
    found: dict[str, str] = {}
    for name, features in service.features.items():
        view = definitions.views[name]
        found |= {f"the feature {feature}": view.features[feature] for feature in features}
        for entity in (definitions.entities[name] for name in view.entities):
            if entity.value_type is not None:
                found[f"the key {entity.join_key}"] = entity.value_type
    return found


def _taken_names(stack: StackSettings, origins: Mapping[str, Mapping[KeyPath, Origin]]) -> Iterator[Problem]:
    for model in stack.models:
        if model.name in PARTS:
            file, prefix = _where(stack, model)
            yield problem_at(
                (),
                "is the name of a part of the stage's feature store",
                "rename the model",
                origins=origins.get(model.name, {}),
                file=file,
                prefix=prefix,
                written=False,
            )


def _unknown_views(
    store: FeatureStoreSettings, stack: StackSettings, origins: Mapping[KeyPath, Origin]
) -> Iterator[Problem]:
    for view in sorted(store.watch.freshness_by_view):
        if view not in stack.definitions.materialized:
            known = ", ".join(stack.definitions.materialized) or "none"
            problem = problem_at(
                ("featureStore", "watch", "freshnessByView", view),
                "is no view that is materialised",
                f"name one of {known}",
                origins=origins,
                file=f"Pulumi.{stack.stage}.yaml",
            )
            yield replace(problem, field=f"config.{PROJECT}:{problem.field}")


def _where(stack: StackSettings, model: ModelSettings) -> tuple[str, KeyPath]:
    return f"Pulumi.{stack.stage}.yaml", ("config", f"{PROJECT}:models", model.name)
