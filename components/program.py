"""The program: the contents of one stage, as pure data.

`delivery` reads a commit's objects by `rendered`, which every commit has under this name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.dashboards import dashboard_names, dashboards
from components.feature_store import store as feature_store
from components.files.sources import Sources
from components.kubernetes.objects import Component, KubernetesObject, Manifest, objects_of
from components.kubernetes.staged_model import StagedModel
from components.monitoring_stack.stack import monitoring_stack
from components.serving import model as serving
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings
from components.stack import load_stack
from components.stage import isolation, stage_component


@dataclass(frozen=True, kw_only=True)
class Program:
    """The contents of one stage.

    Attributes:
        components: Its parts, in the order of creation.
        outputs: The stack outputs that Pulumi shows.
    """

    components: tuple[Component, ...]
    outputs: Mapping[str, Any]


def program(stack: StackSettings) -> Program:
    """The whole of a stage."""
    staged = [StagedModel(model, stack) for model in stack.models]
    outputs: dict[str, Any] = {"namespace": stack.namespace, "namespaces": list(stack.serving_namespaces)}
    if stack.feature_store is not None:
        outputs["featureStore"] = feature_store.summary(stack.feature_store, stack)
    outputs["models"] = {one.name: serving.summary(one) for one in staged}
    return Program(components=tuple(_components(stack, staged)), outputs=outputs)


def _components(stack: StackSettings, models: list[StagedModel]) -> Iterator[Component]:
    stage = stage_component(stack)
    parts = tuple(_parts(stack, models, stage.ready))
    yield stage
    yield from parts
    if stack.namespace_owned or stack.own_namespaces:
        yield isolation(stack, stage, parts)


def _parts(
    stack: StackSettings, models: list[StagedModel], ready: tuple[KubernetesObject, ...]
) -> Iterator[Component]:
    shown = features = ready
    if stack.monitoring.stack.install:
        yield (watching := monitoring_stack(stack, dashboard_names(stack), ready))
        shown = (*shown, *watching.ready)
    if stack.feature_store is not None:
        yield (store := feature_store.feature_store(stack.feature_store, stack, ready))
        features = (*features, *store.ready)
    for staged in models:
        yield serving.model_component(staged, ready if staged.model.features is None else features)
    if stack.monitoring.delivery is not MonitoringDelivery.NONE:
        yield dashboards(stack, shown)


def objects(stack: StackSettings) -> list[Manifest]:
    """Every Kubernetes object of a stage, in the order of creation."""
    return [one.manifest for part in program(stack).components for one in objects_of(part)]


def rendered(project: Path, stage: str) -> list[Manifest]:
    """Every Kubernetes object of a stage, from the files of a project.

    Raises:
        SettingsError: the files have problems.
    """
    return objects(load_stack(Sources.of(project), stage).settings)
