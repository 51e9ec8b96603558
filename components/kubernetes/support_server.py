"""The pods that this project deploys beside the operator's: Grafana and kube-state-metrics. Pure functions."""

from collections.abc import Mapping, Sequence

import pulumi_kubernetes as k8s

from components.kubernetes.pod_security import container_security, pod_security
from components.monitoring_stack import names


def deployment_spec(
    part: str,
    stage: str,
    pod: k8s.core.v1.PodSpecArgsDict,
    annotations: Mapping[str, str] | None = None,
) -> k8s.apps.v1.DeploymentSpecArgsDict:
    """The DeploymentSpec of one replica: what it shows is made anew at its start, and nobody is paged by it."""
    return {
        "replicas": 1,
        "revision_history_limit": 5,
        "selector": {"match_labels": names.selector(part)},
        "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
        "template": {
            "metadata": {"labels": names.labels(part, stage), "annotations": dict(annotations or {})},
            "spec": pod,
        },
    }


def pod_spec(
    container: k8s.core.v1.ContainerArgsDict,
    *,
    user: int | None,
    token: bool,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = (),
    sidecars: Sequence[k8s.core.v1.ContainerArgsDict] = (),
    volume_group: int | None = None,
) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec of a part: hardened as the models are.

    Args:
        container: What is its own: name, image, ports, probes, resources. Its service account is named like it.
        user: The image's user, as a number; None where the image itself names it by its number.
        token: Whether it needs the Kubernetes API.
        mounts: What it mounts besides /tmp.
        volumes: The volumes it mounts.
        sidecars: Further containers, which mount /tmp alone.
        volume_group: The group that may write to its volumes.
    """
    return {
        "service_account_name": container["name"],
        "automount_service_account_token": token,
        "enable_service_links": False,
        "security_context": pod_security(run_as_user=user, fs_group=volume_group),
        "containers": [_hardened(container, mounts), *(_hardened(sidecar) for sidecar in sidecars)],
        "volumes": [{"name": "tmp", "empty_dir": {"size_limit": "64Mi"}}, *volumes],
    }


def _hardened(
    container: k8s.core.v1.ContainerArgsDict, mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = ()
) -> k8s.core.v1.ContainerArgsDict:
    return {
        **container,
        "image_pull_policy": "IfNotPresent",
        "security_context": container_security(),
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}, *mounts],
    }


def probe(
    path: str, port: str, *, period_seconds: int = 10, failure_threshold: int = 3
) -> k8s.core.v1.ProbeArgsDict:
    """An HTTP probe of a named port."""
    return {
        "http_get": {"path": path, "port": port},
        "period_seconds": period_seconds,
        "timeout_seconds": 5,
        "failure_threshold": failure_threshold,
    }


def service_spec(part: str, port_name: str, port: int) -> k8s.core.v1.ServiceSpecArgsDict:
    """The ServiceSpec in front of a part's one port."""
    return {
        "type": "ClusterIP",
        "selector": names.selector(part),
        "ports": [
            {
                "name": port_name,
                "port": port,
                "target_port": port_name,
                "protocol": "TCP",
                "app_protocol": "http",
            }
        ],
    }
