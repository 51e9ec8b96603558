"""What a change does to the features that models read, by the definitions of both commits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.settings.feature_definitions import FeatureDefinitions
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings


@dataclass(frozen=True, kw_only=True)
class FeatureReads:
    """What changes for the models that read features.

    Attributes:
        broken: What is lost or changed in a service that a model reads in both commits.
        points: What else a reviewer should know.
    """

    broken: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


def feature_reads(before: StackSettings | None, after: StackSettings) -> FeatureReads:
    """Compare what each model of a stage reads; `before` is None where the base commit has no valid such stage."""
    models = {} if before is None else {model.name: model for model in before.feature_readers}
    old = FeatureDefinitions() if before is None else before.definitions
    broken: list[str] = []
    points: list[str] = []
    for model in after.feature_readers:
        service, earlier = _service(model), _service(models.get(model.name))
        if service == earlier:
            broken += (
                f"{service}, read by {model.name}, {said}"
                for said in _losses(service, old, after.definitions)
            )
            points += (
                f"{service}, read by {model.name}, {said}" for said in _gains(service, old, after.definitions)
            )
        else:
            points += _moves(model.name, earlier, service, old, after.definitions)
    return FeatureReads(broken=tuple(broken), points=tuple(points))


def _service(model: ModelSettings | None) -> str:
    return "" if model is None or model.features is None else model.features.service


def _losses(service: str, old: FeatureDefinitions, new: FeatureDefinitions) -> Iterator[str]:
    for what, read in (("feature", _types), ("column of entities", _keys)):
        earlier, now = read(service, old), read(service, new)
        for name in sorted(earlier.keys() - now.keys()):
            yield f"loses the {what} {name}"
        for name in sorted(earlier.keys() & now.keys()):
            if earlier[name] != now[name]:
                yield f"changes the {what} {name} from {earlier[name]} to {now[name]}"


def _gains(service: str, old: FeatureDefinitions, new: FeatureDefinitions) -> Iterator[str]:
    for name in sorted(_types(service, new).keys() - _types(service, old).keys()):
        yield f"gains the feature {name}: null for every entity until new values of it are materialised"


def _moves(
    model: str, earlier: str, service: str, old: FeatureDefinitions, new: FeatureDefinitions
) -> Iterator[str]:
    yield f"{model} reads {service}{f' instead of {earlier}' if earlier else ''}"
    if earlier and earlier not in new.services:
        yield (
            f"{earlier} is removed before the replicas of {model} that read it are replaced: their reads fail "
            "meanwhile. Remove it in a second commit"
        )
    for view in sorted(new.services[service].features.keys() - old.views.keys()):
        yield f"{model} reads null from {view}, which is new, until it is materialised for the first time"


def _types(service: str, definitions: FeatureDefinitions) -> Mapping[str, str]:
    """The type of each feature of a service; models read features by name."""
    found = definitions.services.get(service)
    views = {} if found is None else found.features
    return {name: definitions.views[view].features[name] for view, names in views.items() for name in names}


def _keys(service: str, definitions: FeatureDefinitions) -> Mapping[str, str]:
    """The type of each column that identifies a service's entities."""
    found = definitions.services.get(service)
    views = () if found is None else found.features
    entities = (definitions.entities[name] for view in views for name in definitions.views[view].entities)
    return {entity.join_key: str(entity.value_type) for entity in entities}
