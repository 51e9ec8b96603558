"""What a stage's controller may touch: read from what the stage renders."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.rendering.render import manifests

Manifest = dict[str, Any]
NAMESPACE = "Namespace"
RBAC = "rbac.authorization.k8s.io"
_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The reach of one stage.

    Attributes:
        stage: Its name.
        namespaces: Its namespaces; the first one contains the models.
        labels: The labels of those that it owns.
        cluster: Group, kind and name of each of its cluster-scoped objects.
        granted: The rules that it grants to others by namespace, those of the whole cluster under "". The granting
            account must have them.
        rights: The place of each of its roles and bindings: `namespace/name`, or `name` of one of the whole cluster.
    """

    stage: str
    namespaces: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    cluster: tuple[tuple[str, str, str], ...]
    granted: Mapping[str, tuple[Manifest, ...]]
    rights: tuple[str, ...]


def scope(project: Path, stage: str, namespace: str) -> Scope:
    """The reach of a stage whose models are in a namespace.

    Raises:
        ProgramError: the program refused its settings.
    """
    found = manifests(project, stage)
    outside = [m for m in found if "namespace" not in m["metadata"]]
    others = {m["metadata"]["namespace"] for m in found if m not in outside} - {namespace}
    granted: dict[str, tuple[Manifest, ...]] = defaultdict(tuple)
    for role in (m for m in found if m["kind"] in _ROLES):
        granted[role["metadata"].get("namespace", "")] += tuple(role["rules"])
    return Scope(
        stage=stage,
        namespaces=(namespace, *sorted(others)),
        labels={m["metadata"]["name"]: m["metadata"]["labels"] for m in found if m["kind"] == NAMESPACE},
        cluster=tuple((group(m), m["kind"], m["metadata"]["name"]) for m in outside),
        granted=dict(granted),
        rights=tuple(sorted({_place(m) for m in found if m["kind"] in _ROLES | _BINDINGS})),
    )


def group(manifest: Manifest) -> str:
    """The API group of an object; empty for the core one."""
    name: str = manifest["apiVersion"].rpartition("/")[0]
    return name


def _place(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return "/".join(metadata[key] for key in ("namespace", "name") if key in metadata)
