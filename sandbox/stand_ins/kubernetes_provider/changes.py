"""What changed between two descriptions of an object, and what of a live object we declared. Pure functions."""

import base64
from collections.abc import Iterator
from typing import Any

from components.settings.quantities import quantity

# Changing one of these needs another object.
_IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
_IMMUTABLE = {
    "Deployment": ("spec.selector",),
    "Service": ("spec.clusterIP",),
    "Secret": ("type",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Job": ("spec.selector", "spec.template"),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
}


def changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The paths that differ, each with `add`, `delete` or `update`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            below = _join(path, key)
            if key not in old:
                yield below, "add"
            elif key not in new:
                yield below, "delete"
            else:
                yield from changes(old[key], new[key], below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(old):
                yield below, "add"
            elif index >= len(new):
                yield below, "delete"
            else:
                yield from changes(old[index], new[index], below)
    elif old != new:
        yield path, "update"


def needs_replacement(kind: str, path: str) -> bool:
    """True when a change at the path cannot be made to the existing object."""
    fixed = (*_IDENTITY, *_IMMUTABLE.get(kind, ()))
    return any(path == prefix or path.startswith((f"{prefix}.", f"{prefix}[")) for prefix in fixed)


def drifted(wanted: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The inputs that would make the live object: ours, with what somebody else changed in them.

    Args:
        wanted: What we applied.
        live: What the API server holds.
    """
    if "stringData" not in wanted:
        result: dict[str, Any] = declared(wanted, live)
        return result
    # The server keeps a Secret's plain text as data.
    data = live.get("data") or {}
    kept = {
        key: value if data[key] == _encoded(value) else _decoded(data[key])
        for key, value in wanted["stringData"].items()
        if key in data
    }
    rest = {key: value for key, value in wanted.items() if key != "stringData"}
    return {**declared(rest, live), "stringData": kept}


def declared(wanted: Any, live: Any) -> Any:
    """The live object reduced to the fields we declared, so that defaults and status are no drift.

    Args:
        wanted: What we applied.
        live: What the API server holds.
    """
    if isinstance(wanted, dict) and isinstance(live, dict):
        kept = {}
        for key, value in wanted.items():
            if key in live:
                kept[key] = declared(value, live[key])
            elif not value:
                # The server leaves out zero, false and empty values.
                kept[key] = value
        return kept
    if isinstance(wanted, list) and isinstance(live, list):
        if _named(wanted) and _named(live):
            by_name = {item["name"]: item for item in live}
            return [declared(item, by_name[item["name"]]) for item in wanted if item["name"] in by_name]
        paired = [declared(one, other) for one, other in zip(wanted, live, strict=False)]
        return paired + live[len(wanted) :]
    return wanted if _same_quantity(wanted, live) else live


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _join(path: str, key: str) -> str:
    plain = key.replace("-", "").replace("_", "").isalnum()
    if not plain:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "name" in item for item in items)


def _same_quantity(one: Any, other: Any) -> bool:
    """`1000m` and `1` are the same to Kubernetes, which may answer with the other."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    try:
        return quantity(one) == quantity(other)
    except ValueError:
        return False
