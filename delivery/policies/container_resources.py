"""Every container declares its requests and has a memory limit."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import Problem
from delivery.policies.manifest import Manifest, pod_of
from delivery.policies.stage import StageRules

# A CPU limit is not required: it throttles a container that could use idle CPU.
_DISK = "ephemeral-storage"
_NEEDED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def container_resources(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Every container requests CPU and memory and limits its memory."""
    pod = pod_of(manifest)
    for container in pod.containers if pod else ():
        missing = [f"{kind}.{name}" for kind, name in _NEEDED if not _given(container, kind, name)]
        if missing:
            yield Problem(
                f"container {container['name']} lacks resources.{', resources.'.join(missing)}",
                "set resources in the model file",
            )


def ephemeral_storage(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Every container limits what it writes to its node's disk; without a request, the limit is the request."""
    pod = pod_of(manifest)
    for container in pod.containers if pod else ():
        if not _given(container, "limits", _DISK):
            yield Problem(
                f"container {container['name']} may fill its node's disk: it has no limit of {_DISK}",
                f"add {_DISK} under resources.limits in the model file: security.tmpSizeLimit, 50Mi for logs, and what "
                "else it writes",
            )


def _given(container: Mapping[str, Any], kind: str, name: str) -> bool:
    resources = (container.get("resources") or {}).get(kind) or {}
    return resources.get(name) not in {None, ""}
