"""Deployments, Services, PodDisruptionBudgets and ServiceAccounts. Pure functions."""

from collections.abc import Mapping

from components.kubernetes import naming
from components.kubernetes.objects import KubernetesObject, Manifest, kubernetes_object
from components.settings.model import Rollout


def deployment_spec(
    pod: Manifest,
    *,
    selector: Manifest,
    labels: Manifest,
    annotations: Mapping[str, str] | None = None,
    replicas: int = 1,
    rollout: Rollout,
    deadline: bool = True,
) -> Manifest:
    """The DeploymentSpec.

    Args:
        pod: The PodSpec.
        selector: The selector of its pods; it is immutable.
        labels: The labels of its pods.
        annotations: The annotations of its pods; None for no such field.
        replicas: How many pods there are.
        rollout: How pods of a new version replace the old ones.
        deadline: Whether a rollout without progress fails at the deadline in `rollout`; else at Kubernetes' default.
    """
    metadata = {"labels": labels} | ({} if annotations is None else {"annotations": dict(annotations)})
    return {
        "replicas": replicas,
        "revisionHistoryLimit": 5,
        **({"progressDeadlineSeconds": rollout.progress_deadline_seconds} if deadline else {}),
        "selector": {"matchLabels": selector},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": rollout.max_unavailable, "maxSurge": rollout.max_surge},
        },
        "template": {"metadata": metadata, "spec": pod},
    }


def service_spec(
    selector: Manifest, ports: Mapping[str, int], *, app_protocol: str | None = "http"
) -> Manifest:
    """The ServiceSpec in front of the ready pods that a selector matches; a port leads to theirs of the same name."""
    protocol = {} if app_protocol is None else {"appProtocol": app_protocol}
    return {
        "type": "ClusterIP",
        "selector": selector,
        "ports": [
            {"name": name, "port": port, "targetPort": name, "protocol": "TCP", **protocol}
            for name, port in ports.items()
        ],
    }


def service(metadata: Manifest, spec: Manifest) -> KubernetesObject:
    """A Service, which nothing waits for."""
    return kubernetes_object("Service", naming.not_awaited(metadata), {"spec": spec})


def disruption_budget_spec(max_unavailable: int, selector: Manifest) -> Manifest:
    """The PodDisruptionBudgetSpec: how many replicas a drain may take at once."""
    return {
        "maxUnavailable": max_unavailable,
        "selector": {"matchLabels": selector},
        # A replica that is broken anyway must not block the drain of its node.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }


def service_account(metadata: Manifest) -> KubernetesObject:
    """A ServiceAccount whose token is not mounted unless a pod asks for it."""
    return kubernetes_object("ServiceAccount", metadata, {"automountServiceAccountToken": False})
