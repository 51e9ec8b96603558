"""The series of kube-state-metrics on a model's Deployment, pods and autoscaler, as PromQL. Pure functions.

Each is aggregated by its object: otherwise the exporter's own pod would be part of an alert's labels, and a restart of
the exporter would restart the alert.
"""

from components.kubernetes.staged_model import CONTAINER, StagedModel
from components.monitoring.series import picked

# Kubernetes truncates the prefix of a pod's name to 58 characters: the Deployment's name, '-', a hash of up to 10, '-'.
_LONGEST_BASE = 58
_LONGEST_WHOLE_NAME = _LONGEST_BASE - 12


def deployment_series(staged: StagedModel, metric: str, **labels: str) -> str:
    """A gauge of the Deployment, not aggregated: `kube_deployment_<metric>`."""
    own = {"namespace": staged.namespace, "deployment": staged.name, **labels}
    return picked(f"kube_deployment_{metric}", own)


def deployment(staged: StagedModel, metric: str, **labels: str) -> str:
    """The same, aggregated."""
    return f"max by (namespace, deployment) ({deployment_series(staged, metric, **labels)})"


def containers(staged: StagedModel, metric: str, **labels: str) -> str:
    """A metric of the server's containers, not aggregated: `kube_pod_container_<metric>`."""
    return container_series(staged, f"kube_pod_container_{metric}", **labels)


def container_series(staged: StagedModel, name: str, **labels: str) -> str:
    """Any metric that has the labels of the server's containers, by its whole name."""
    own = {"namespace": staged.namespace, "container": CONTAINER, **labels}
    return picked(name, own, f'pod=~"{pod_pattern(staged)}"')


def by_container(expression: str) -> str:
    """The highest value of each container."""
    return f"max by (namespace, pod, container) ({expression})"


def autoscaler(staged: StagedModel, metric: str) -> str:
    """A gauge of the HorizontalPodAutoscaler that is named like the model, or as KEDA names it."""
    name = f'horizontalpodautoscaler=~"(keda-hpa-)?{staged.name}"'
    gauge = picked(f"kube_horizontalpodautoscaler_{metric}", {"namespace": staged.namespace}, name)
    return f"max by (namespace, horizontalpodautoscaler) ({gauge})"


def pod_pattern(staged: StagedModel) -> str:
    """A pattern for the names of the model's pods, which those of `<model>-<more>` do not match.

    Kubernetes truncates a long name; then only the beginning is known.
    """
    if len(staged.name) <= _LONGEST_WHOLE_NAME:
        return f"{staged.name}-[a-z0-9]+-[a-z0-9]{{5}}"
    return f"{f'{staged.name}-'[:_LONGEST_BASE]}[a-z0-9-]*"
