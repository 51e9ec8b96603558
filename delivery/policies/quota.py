"""The pods of a stage fit into its quota, also while they roll."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from components.errors import Problem
from components.settings.quantities import quantity
from components.settings.quota import PODS
from delivery.policies.manifest import Manifest, Pod, namespace_of, pod_of
from delivery.policies.stage import StageRules


def quota(manifests: Sequence[Manifest], stage: StageRules) -> Iterator[tuple[Manifest, Problem]]:
    """Every pod states what a ResourceQuota of its namespace counts, and together they need no more than it allows.

    Kubernetes refuses pods of the first kind, except that it does not count the disk that a pod does not state.
    """
    for one in manifests:
        if one["kind"] != "ResourceQuota":
            continue
        hard: Mapping[str, str] = (one.get("spec") or {}).get("hard") or {}
        users = [
            (manifest, pod, _most_pods(manifest))
            for manifest in manifests
            if namespace_of(manifest) == namespace_of(one) and (pod := pod_of(manifest)) is not None
        ]
        for name, allowed in hard.items():
            yield from _unstated(name, users)
            needed = sum((count * _of_pod(pod, name) for _, pod, count in users), Decimal(0))
            if needed > quantity(str(allowed)):
                yield (
                    one,
                    Problem(
                        f"allows {name} of {allowed}, and while they roll its pods need {_shown(needed, name)}",
                        f"raise {name} in `quota` of the stack file, or lower replicas or resources",
                    ),
                )


def _unstated(name: str, users: Sequence[tuple[Manifest, Pod, int]]) -> Iterator[tuple[Manifest, Problem]]:
    kind, _, resource = name.partition(".")
    if "/" in name or not resource:
        return
    for manifest, pod, _ in users:
        missing = [c["name"] for c in pod.containers if _of_container(c, kind, resource) is None]
        if missing:
            yield (
                manifest,
                Problem(
                    f"container {', '.join(missing)} states no {name}, which the quota counts",
                    f"add {resource} under resources.{kind} in the model file",
                ),
            )


def _most_pods(manifest: Manifest) -> int:
    """How many pods it has at the same time, while it rolls."""
    spec = manifest.get("spec") or {}
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    replicas = int(spec.get("parallelism", spec.get("replicas", 1)))
    strategy = spec.get("strategy") or {}
    if manifest["kind"] != "Deployment" or strategy.get("type") == "Recreate":
        return replicas
    surge = str((strategy.get("rollingUpdate") or {}).get("maxSurge", "25%"))
    if surge.endswith("%"):
        extra = Decimal(surge[:-1]) * replicas / 100
        return replicas + int(extra.to_integral_value(ROUND_CEILING))
    return replicas + (int(surge) if replicas else 0)


def _of_pod(pod: Pod, name: str) -> Decimal:
    """What one pod needs: its containers together, or an init container that needs more before they start."""
    if name == PODS:
        return Decimal(1)
    kind, _, resource = name.partition(".")
    first = pod.spec.get("initContainers") or ()
    # A sidecar starts first and then stays.
    staying = [c for c in pod.containers if c not in first or c.get("restartPolicy") == "Always"]
    together = sum((_of_container(c, kind, resource) or Decimal(0) for c in staying), Decimal(0))
    return max([together, *(_of_container(c, kind, resource) or Decimal(0) for c in first)])


def _of_container(container: Mapping[str, Any], kind: str, resource: str) -> Decimal | None:
    """A request that is not stated is the limit."""
    resources = container.get("resources") or {}
    stated = (resources.get(kind) or {}).get(resource)
    if stated is None and kind == "requests":
        stated = (resources.get("limits") or {}).get(resource)
    return None if stated is None else quantity(str(stated))


def _shown(amount: Decimal, name: str) -> str:
    if "memory" not in name and "storage" not in name:
        return f"{amount.normalize():f}"
    return f"{(amount / 2**20).to_integral_value(ROUND_CEILING)}Mi"
