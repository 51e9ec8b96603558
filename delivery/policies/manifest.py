"""Reads Kubernetes manifests: an object's name, and the pods it creates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.policies.stage import StageRules

Manifest = Mapping[str, Any]
# Where each kind has its pod template.
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
# prometheus-operator creates the pods of these; their spec has most fields of a PodSpec.
_OPERATED = {"Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler"}
_OPERATOR_GROUP = "monitoring.coreos.com/"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """The pods that an object creates.

    Attributes:
        labels: Their labels.
        annotations: Their annotations.
        spec: The PodSpec.
        containers: Every container of any kind.
        operated: prometheus-operator creates them; it secures the containers itself, so the fields are missing here.
        patches: Patches for containers that prometheus-operator creates; each may lack any field.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    containers: tuple[Mapping[str, Any], ...]
    operated: bool = False
    patches: tuple[Mapping[str, Any], ...] = ()


def name_of(manifest: Manifest) -> str:
    """The object's name; empty where it has none yet."""
    name: str = manifest["metadata"].get("name") or ""
    return name


def namespace_of(manifest: Manifest) -> str | None:
    """The object's namespace; None where it names none."""
    return manifest["metadata"].get("namespace") or None


def identity(manifest: Manifest) -> str:
    """`Deployment ml-production/sentiment-classifier`, or `ClusterRole prometheus`."""
    namespace = namespace_of(manifest)
    return f"{manifest['kind']} {f'{namespace}/' if namespace else ''}{name_of(manifest)}"


def labels_of(manifest: Manifest) -> Mapping[str, str]:
    """The object's own labels."""
    return manifest["metadata"].get("labels") or {}


def pod_of(manifest: Manifest) -> Pod | None:
    """The pods that an object creates; None if it creates none."""
    if manifest["kind"] in _OPERATED and manifest["apiVersion"].startswith(_OPERATOR_GROUP):
        return _operated(manifest)
    if manifest["kind"] not in _TEMPLATES:
        return None
    template: Any = manifest
    for key in _TEMPLATES[manifest["kind"]]:
        template = template.get(key) or {}
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    return Pod(
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        spec=spec,
        containers=tuple(_containers(spec, "initContainers", "containers", "ephemeralContainers")),
    )


def model_pod(manifest: Manifest, stage: StageRules) -> Pod | None:
    """The pods of a model: those of the models' namespaces. The monitoring stack has its own namespace."""
    return pod_of(manifest) if namespace_of(manifest) in stage.serving else None


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches, by `matchLabels` and `matchExpressions`; an empty one matches everything."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _fits(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[operator]


def _operated(manifest: Manifest) -> Pod:
    spec = manifest.get("spec") or {}
    metadata = spec.get("podMetadata") or {}
    main = {"name": manifest["kind"].lower(), "image": spec.get("image"), "resources": spec.get("resources")}
    return Pod(
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        spec=spec,
        containers=(main,),
        operated=True,
        patches=tuple(_containers(spec, "initContainers", "containers")),
    )


def _containers(spec: Mapping[str, Any], *lists: str) -> Iterator[Mapping[str, Any]]:
    for key in lists:
        yield from spec.get(key) or ()
