"""What a stage's controller may touch: read from what the stage renders."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.rendering.render import manifests

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The reach of one stage.

    Attributes:
        stage: Its name.
        namespaces: Its namespaces; the first one contains the models.
        cluster: Group, kind and name of each of its cluster-scoped objects.
        granted: The rules that it grants to others by namespace, those of the whole cluster under "". The granting
            account must have them.
    """

    stage: str
    namespaces: tuple[str, ...]
    cluster: tuple[tuple[str, str, str], ...]
    granted: Mapping[str, tuple[Manifest, ...]]


def scope(project: Path, stage: str, namespace: str) -> Scope:
    """The reach of a stage whose models are in a namespace.

    Raises:
        ProgramError: the program refused its settings.
    """
    found = manifests(project, stage)
    outside = [m for m in found if "namespace" not in m["metadata"]]
    others = {m["metadata"]["namespace"] for m in found if m not in outside} - {namespace}
    granted: dict[str, tuple[Manifest, ...]] = defaultdict(tuple)
    for role in (m for m in found if m["kind"] in {"Role", "ClusterRole"}):
        granted[role["metadata"].get("namespace", "")] += tuple(role["rules"])
    return Scope(
        stage=stage,
        namespaces=(namespace, *sorted(others)),
        cluster=tuple((group(m), m["kind"], m["metadata"]["name"]) for m in outside),
        granted=dict(granted),
    )


def group(manifest: Manifest) -> str:
    """The API group of an object; empty for the core one."""
    name: str = manifest["apiVersion"].rpartition("/")[0]
    return name
