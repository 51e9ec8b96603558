"""Every field that the program can render, each in an object of its own, and other values for it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.rendering.render import manifests
from tests.support.rich_stages import RICH_STAGES, STAGE

Object = dict[str, Any]
Place = tuple[str | int, ...]
# Below these the names are free, and one of them stands for all.
_FREE = {"labels", "annotations", "data", "matchLabels", "nodeSelector"}
_NAMED = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
_CLUSTER_SCOPED = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
# Tried in this order until the API server takes one.
_TEXTS = (
    "{}x",
    "{}-x",
    "{}1",
    "7",
    "7Gi",
    "99h",
    "v0.1.0",
    "10.9.0.0/16",
    "UDP",
    "Egress",
    "Ingress",
    "Always",
    "DoNotSchedule",
    "IfHealthyBudget",
    "OnDelete",
    "Recreate",
    "Forbid",
    "Replace",
    "Never",
    "OnFailure",
    "Unconfined",
    "Localhost",
    "Headless",
    "NodePort",
    "ReadOnlyMany",
    "User",
    "Filesystem",
    "!=",
    "https://hooks.example.com/other",
    "0 0 * * 0",
    "NET_RAW",
    "Europe/Berlin",
    "Endpoints",
    "http",
    "HTTP",
    "7GB",
    "1m",
    "NoSchedule",
    "NoExecute",
    "Equal",
    "TCP",
    "V1",
)
# Kubernetes changes these on no live object: https://kubernetes.io/docs/reference/kubernetes-api/
_IMMUTABLE = (
    "Job spec.template.",
    "RoleBinding roleRef.",
    "ClusterRoleBinding roleRef.",
    "Deployment spec.selector.",
    "StatefulSet spec.selector.",
    "StatefulSet spec.serviceName",
    "PersistentVolumeClaim spec.",
)
# Alone these are invalid: another field has to change with them.
_PAIRED = (
    ".template.metadata.labels.*",
    ".volumes.*.name",
    ".volumeMounts.*.name",
    ".tolerations.*.operator",
    ".resources.requests.nvidia.com/gpu",
    ".resources.limits.nvidia.com/gpu",
    "Deployment spec.strategy.type",
)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One field of a manifest: `place` leads to it, `shape` is the same for all fields of its meaning."""

    manifest: Object
    place: Place
    shape: str


def leaves(folder: Path, namespace: str) -> list[Leaf]:
    """A leaf for each shape of each kind in the rich stages.

    Each has a manifest of its own, which is named after the namespace that it is in.
    """
    found: dict[tuple[str, str], Leaf] = {}
    for name, stage in RICH_STAGES.items():
        stage.write(folder / name)
        for manifest in manifests(folder / name, STAGE):
            for place, is_leaf in _places(manifest):
                shape = _shape(place)
                if is_leaf and place not in _NAMED and len(place) > 1:
                    found.setdefault(
                        (manifest["kind"], shape), Leaf(manifest=manifest, place=place, shape=shape)
                    )
    return [
        Leaf(manifest=_renamed(leaf.manifest, namespace, number), place=leaf.place, shape=leaf.shape)
        for number, leaf in enumerate(found.values())
    ]


def others(value: object) -> list[Any]:
    """Values that a field might have instead; empty for an empty mapping or list."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, value + 50]
    if isinstance(value, str):
        return [text.format(value) for text in _TEXTS if text.format(value) != value]
    return []


def is_changeable(leaf: Leaf) -> bool:
    """True when the field has another value that the API server takes for it alone."""
    field = f"{leaf.manifest['kind']} {leaf.shape}"
    is_empty = at(leaf.manifest, leaf.place) in ({}, [], None)
    return not (is_empty or field.startswith(_IMMUTABLE) or field.endswith(_PAIRED))


def at(node: Any, place: Place) -> Any:
    """The value at a place; None where there is none."""
    for part in place:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def with_value(found: Object, place: Place, value: object) -> Object:
    """A copy of an object with another value at a place."""
    changed = copy.deepcopy(found)
    at(changed, place[:-1])[place[-1]] = value
    return changed


def names(place: Place) -> list[str]:
    """The names on the way to a place, without the items of lists."""
    return [part for part in place if isinstance(part, str)]


def _places(node: Any, place: Place = ()) -> Iterator[tuple[Place, bool]]:
    if place:
        yield place, not (isinstance(node, dict | list) and node)
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for part, below in items:
        yield from _places(below, (*place, part))


def _shape(place: Place) -> str:
    parts: list[str] = []
    for part in place:
        free = isinstance(part, int) or (parts and parts[-1] in _FREE)
        parts.append("*" if free else str(part))
    return ".".join(parts)


def _renamed(manifest: Object, namespace: str, number: int) -> Object:
    found = copy.deepcopy(manifest)
    found["metadata"]["name"] = f"{namespace}-{number}"
    if found["kind"] not in _CLUSTER_SCOPED:
        found["metadata"]["namespace"] = namespace
    return found
