"""The contents of a component: Kubernetes objects as manifests, and what else Pulumi needs to know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# A Kubernetes object in Kubernetes' own spelling.
Manifest = dict[str, Any]
# The API version of each kind that the project deploys.
_API_VERSIONS = {
    "ConfigMap": "v1",
    "Namespace": "v1",
    "PersistentVolumeClaim": "v1",
    "ResourceQuota": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "Alertmanager": "monitoring.coreos.com/v1",
    "AlertmanagerConfig": "monitoring.coreos.com/v1alpha1",
    "Prometheus": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ScrapeConfig": "monitoring.coreos.com/v1alpha1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
}


# Compared and hashed by identity: what waits for an object names this very one.
@dataclass(frozen=True, kw_only=True, eq=False)
class KubernetesObject:
    """One Kubernetes object.

    Attributes:
        name: Pulumi's logical name; with the type of its component it never changes, or Pulumi replaces the object.
        manifest: The object itself.
        after: What must exist before it is created.
        timeouts: Seconds to wait for it by operation, `create` or `update`; default: Pulumi's own.
        retain_on_delete: It stays in the cluster when nothing declares it any more.
        ignore_changes: The properties that are not compared once it exists.
    """

    name: str
    manifest: Manifest
    after: tuple["KubernetesObject", ...] = ()
    timeouts: Mapping[str, int] = field(default_factory=dict)
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The Kubernetes provider that registers every object of the program; its inputs are in Pulumi's spelling."""

    name: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Component:
    """A part of the program: its objects and parts, in the order of creation.

    Attributes:
        type: The last part of its type token, `Stage` of `ml-deployments:index:Stage`.
        name: Pulumi's logical name.
        children: Its objects and its own parts. What an object waits for comes before it.
        after: What must exist before anything of it is created.
        ready: What others wait for before they use it.
    """

    type: str
    name: str
    children: tuple["Component | KubernetesObject | Provider", ...]
    after: tuple[KubernetesObject, ...] = ()
    ready: tuple[KubernetesObject, ...] = ()


def kubernetes_object(
    kind: str,
    metadata: Manifest,
    fields: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    after: tuple[KubernetesObject, ...] = (),
    timeouts: Mapping[str, int] | None = None,
    retain_on_delete: bool = False,
    ignore_changes: tuple[str, ...] = (),
) -> KubernetesObject:
    """An object of a kind.

    Args:
        kind: As in the API; its version is known here.
        metadata: The object's metadata.
        fields: Its other top-level fields, such as `spec` or `data`.
        name: Pulumi's logical name; default: the object's own.
        after: What must exist before it is created.
        timeouts: Seconds to wait for it by operation.
        retain_on_delete: It stays in the cluster when nothing declares it any more.
        ignore_changes: The properties that are not compared once it exists.
    """
    manifest = {"apiVersion": _API_VERSIONS[kind], "kind": kind, "metadata": metadata, **(fields or {})}
    return KubernetesObject(
        name=name or metadata["name"],
        manifest=manifest,
        after=after,
        timeouts=timeouts or {},
        retain_on_delete=retain_on_delete,
        ignore_changes=ignore_changes,
    )


def objects_of(component: Component) -> Iterator[KubernetesObject]:
    """Every object of a component and of its parts."""
    for child in component.children:
        if isinstance(child, Component):
            yield from objects_of(child)
        elif isinstance(child, KubernetesObject):
            yield child
