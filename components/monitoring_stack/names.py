"""Names, labels and selectors of a stage's own monitoring stack. Pure functions."""

from components.kubernetes import naming
from components.kubernetes.objects import Manifest
from components.settings.stack import PROJECT, StackSettings

PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
GRAFANA = "grafana"
KUBE_STATE_METRICS = "kube-state-metrics"
# The Services that prometheus-operator creates, and the ports behind them.
PROMETHEUS_SERVICE = "prometheus-operated"
PROMETHEUS_PORT = 9090
ALERTMANAGER_SERVICE = "alertmanager-operated"
ALERTMANAGER_PORT = 9093
ALERTMANAGER_PEER_PORT = 9094

_INSTANCE = "app.kubernetes.io/instance"
_MONITORING = "monitoring"


def selector(part: str) -> dict[str, str]:
    """The selector of the pods of a part that this project deploys itself."""
    return {naming.NAME: part, naming.COMPONENT: _MONITORING}


def operated_selector(part: str) -> dict[str, str]:
    """The selector of the pods that prometheus-operator creates for its object of this name."""
    return {naming.NAME: part, _INSTANCE: part}


def labels(part: str, stage: str) -> dict[str, str]:
    """The labels of the objects of a part."""
    return {**selector(part), **naming.stage_labels(stage)}


def operated_pod_labels(stage: str) -> dict[str, str]:
    """The labels of pods that prometheus-operator creates; it sets their name and manager itself."""
    return {naming.PART_OF: PROJECT, naming.STAGE: stage}


def metadata(
    stack: StackSettings, part: str, *, name: str | None = None, namespace: str | None = None
) -> Manifest:
    """The metadata of an object of a part; by default named like it, in the monitoring namespace."""
    return {
        "name": name or part,
        "namespace": namespace or stack.monitoring.namespace,
        "labels": labels(part, stack.stage),
        "annotations": naming.annotations(stack.stage),
    }


def cluster_name(stack: StackSettings, part: str) -> str:
    """The name of a cluster-scoped object; it contains the stage, since a cluster may have several."""
    return f"{PROJECT}-{stack.stage}-{part}"


def cluster_metadata(stack: StackSettings, part: str) -> Manifest:
    """The metadata of an object without a namespace."""
    return {
        "name": cluster_name(stack, part),
        "labels": labels(part, stack.stage),
        "annotations": naming.annotations(stack.stage),
    }


def selected_metadata(stack: StackSettings, part: str, *, name: str | None = None) -> Manifest:
    """The metadata of what the stage's Prometheus must find: a monitor or a scrape configuration."""
    own = metadata(stack, part, name=name)
    return {**own, "labels": {**labels(part, stack.stage), **selection(stack)}}


def selection(stack: StackSettings) -> dict[str, str]:
    """The labels by which the stage's Prometheus selects monitors, rules and scrape configurations."""
    return stack.monitoring.selector_labels or {naming.STAGE: stack.stage}
