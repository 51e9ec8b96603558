"""Dashboards: what Grafana shows of a stage, one ConfigMap per dashboard."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.feature_store import names as feature_store_names
from components.kubernetes import naming
from components.kubernetes.objects import Component, KubernetesObject, kubernetes_object
from components.kubernetes.staged_model import StagedModel
from components.monitoring import links
from components.settings.stack import StackSettings

# The folder in Grafana, where its sidecar is set to read this annotation.
FOLDER = "grafana_folder"
_FEATURES = "dashboard-features"


@dataclass(frozen=True, kw_only=True)
class DashboardFile:
    """One dashboard in its ConfigMap.

    Attributes:
        name: The ConfigMap's name.
        uid: Grafana's identifier, and the file's name: the sidecar writes the files of all namespaces into one folder.
        labels: The labels of the object that the dashboard shows.
        text: The dashboard as JSON.
    """

    name: str
    uid: str
    labels: dict[str, str]
    text: str


def dashboard_name(model: str | None = None) -> str:
    """The ConfigMap with a model's dashboard, or with the stage's.

    Those of models end in `-dashboard`; the stage's does not, so that a model may have any name.
    """
    return "dashboard-fleet" if model is None else f"{model}-dashboard"


def dashboard_names(stack: StackSettings) -> list[str]:
    """The ConfigMaps of every dashboard of a stage."""
    features = [] if stack.feature_store is None else [_FEATURES]
    return [dashboard_name(), *features, *(dashboard_name(model.name) for model in stack.models)]


def dashboard_files(stack: StackSettings) -> Iterator[DashboardFile]:
    """The dashboards of the stage, of its feature store and of its models."""
    # Grafana's SDK takes a tenth of a second to import. A stack without dashboards does not need it.
    from components.feature_store.dashboard import feature_dashboard  # noqa: PLC0415
    from components.monitoring.dashboards.fleet import fleet_dashboard  # noqa: PLC0415
    from components.monitoring.dashboards.frame import to_json  # noqa: PLC0415
    from components.monitoring.dashboards.model import model_dashboard  # noqa: PLC0415

    yield DashboardFile(
        name=dashboard_name(),
        uid=links.dashboard_uid(stack.stage),
        labels=naming.stage_labels(stack.stage),
        text=to_json(fleet_dashboard(stack)),
    )
    if stack.feature_store is not None:
        yield DashboardFile(
            name=_FEATURES,
            uid=links.features_dashboard_uid(stack.stage),
            labels=feature_store_names.labels(stack, feature_store_names.SERVER),
            text=to_json(feature_dashboard(stack.feature_store, stack)),
        )
    for staged in (StagedModel(model, stack) for model in stack.models):
        yield DashboardFile(
            name=dashboard_name(staged.name),
            uid=links.dashboard_uid(stack.stage, staged.name),
            labels=staged.labels,
            text=to_json(model_dashboard(staged)),
        )


def dashboards(stack: StackSettings, after: tuple[KubernetesObject, ...]) -> Component:
    """The dashboards of a stage and its models, with the labels by which Grafana's sidecar finds them.

    Args:
        stack: The stage.
        after: What must exist before any of them.
    """
    children = tuple(_config_map(file, stack) for file in dashboard_files(stack))
    return Component(type="Dashboards", name=stack.stage, children=children, after=after)


def _config_map(file: DashboardFile, stack: StackSettings) -> KubernetesObject:
    monitoring = stack.monitoring
    return kubernetes_object(
        "ConfigMap",
        {
            "name": file.name,
            "namespace": monitoring.namespace if monitoring.stack.install else stack.namespace,
            "labels": {**file.labels, **monitoring.dashboard_labels},
            "annotations": {**naming.annotations(stack.stage), FOLDER: stack.namespace},
        },
        {"data": {f"{file.uid}.json": file.text}},
    )
