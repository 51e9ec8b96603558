"""The hardened pod: every pod of the project meets the restricted Pod Security Standard. Pure functions."""

from collections.abc import Sequence
from typing import Any

from components.kubernetes.objects import Manifest
from components.settings.container_path import TMP

ZONE = "topology.kubernetes.io/zone"
NODE = "kubernetes.io/hostname"


def pod_spec(
    service_account: str,
    containers: Sequence[Manifest],
    *,
    token: bool = False,
    user: int | None = None,
    run_as_non_root: bool = True,
    volume_group: int | None = None,
    tmp_size: str = "64Mi",
    volumes: Sequence[Manifest] = (),
    image_pull_secrets: Sequence[str] = (),
) -> Manifest:
    """The PodSpec of hardened containers, which may write to /tmp.

    Args:
        service_account: The name of its ServiceAccount.
        containers: What `container` returns.
        token: Whether it needs the Kubernetes API.
        user: The numeric user ID; None where the image itself has a numeric user.
        run_as_non_root: False where the image needs root.
        volume_group: The group that may write to its volumes.
        tmp_size: The size of /tmp.
        volumes: The volumes besides /tmp.
        image_pull_secrets: The names of the Secrets with which the images are pulled.
    """
    security: dict[str, Any] = {
        "runAsNonRoot": run_as_non_root,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if user is not None:
        security["runAsUser"] = user
    if volume_group is not None:
        security["fsGroup"] = volume_group
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": token,
        # Variables for every Service would slow the start in a large namespace.
        "enableServiceLinks": False,
        "securityContext": security,
        "containers": list(containers),
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": tmp_size}}, *volumes],
        **pull_secrets(image_pull_secrets),
    }


def pull_secrets(secrets: Sequence[str]) -> Manifest:
    """The field of a pod's spec that names the Secrets with which its images are pulled; empty without any."""
    return {"imagePullSecrets": [{"name": name} for name in secrets]} if secrets else {}


def container(
    own: Manifest, *, mounts: Sequence[Manifest] = (), read_only_root_filesystem: bool = True
) -> Manifest:
    """A hardened container.

    Args:
        own: Its own fields: name, image, command, ports, environment, probes, resources.
        mounts: Its mounts besides /tmp.
        read_only_root_filesystem: False where it writes outside /tmp and its volumes.
    """
    return {
        **own,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": read_only_root_filesystem,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": TMP}, *mounts],
    }


def container_port(name: str, port: int) -> Manifest:
    """A named TCP port of a container."""
    return {"name": name, "containerPort": port, "protocol": "TCP"}


def spread(selector: Manifest, key: str) -> Manifest:
    """Spreads the pods that a selector matches over zones or nodes."""
    return {
        "topologyKey": key,
        "maxSkew": 1,
        # A cluster with one zone or one node must still run them.
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector},
    }


def spread_by_version(selector: Manifest, key: str) -> Manifest:
    """Spreads the pods of a Deployment by version; otherwise a rollout would leave the new version uneven."""
    return {**spread(selector, key), "matchLabelKeys": ["pod-template-hash"]}


def operated_pod_security() -> Manifest:
    """The security context of the pods that prometheus-operator creates; it hardens their containers itself."""
    return {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        # Lets that user write to the volume.
        "fsGroup": 2000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
