"""What all pods of a stage's namespace may use together, in the names of a ResourceQuota.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.quantities import Quantity, quantity
from components.settings.resource_names import amount_mistake
from components.settings.wrong import wrong

PODS = "pods"
_SHARED = ("cpu", "memory", "ephemeral-storage")
# Kubernetes counts devices and huge pages by their requests, which equal their limits.
_KINDS = {"requests": True, "limits": False}


def _quota(values: dict[str, str]) -> dict[str, str]:
    if not values:
        raise wrong("is empty, so it limits nothing", 'name something, like pods: "50", or remove it')
    for name, amount in values.items():
        kind, _, resource = name.partition(".")
        if name == PODS:
            if quantity(amount) % 1:
                raise wrong(f"{name} ({amount}) is not a whole number", 'write it like "50"')
        elif kind not in _KINDS or not resource or not (resource in _SHARED or _KINDS[kind]):
            raise wrong(
                f"{name} is not what a quota of pods counts",
                f"write {PODS}, requests.cpu, limits.memory, limits.ephemeral-storage or their like, or for devices "
                "requests.nvidia.com/gpu",
            )
        elif (mistake := amount_mistake(resource, amount)) is not None:
            raise wrong(f"{name}: {mistake[0]}", mistake[1])
    return values


Quota = Annotated[dict[str, Quantity], Field(json_schema_extra={"minProperties": 1}), AfterValidator(_quota)]
