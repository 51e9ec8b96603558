"""What identifies an object of a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, order=True)
class Identity:
    """An object's place in the cluster; `namespace` is empty for an object without one. The version does not count."""

    kind: str
    namespace: str
    name: str
    group: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def identity(manifest: Mapping[str, Any]) -> Identity:
    """The identity of an object, rendered or live."""
    metadata = manifest["metadata"]
    return Identity(
        kind=manifest["kind"],
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
        group=manifest["apiVersion"].rpartition("/")[0],
    )
