"""Paths into objects, and who owns which: the server's `managedFields`, decoded. Pure functions.

The format is in https://kubernetes.io/docs/reference/using-api/server-side-apply/: `f:<name>` is a field, `k:<keys>` an
item of a list by its key fields, `v:<value>` an item of a set, `i:<number>` one by its index, and `.` the value itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Key:
    """An item of a list that the server identifies by the values of some fields."""

    fields: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return "[" + ",".join(f"{name}={value}" for name, value in self.fields) + "]"

    def of(self, item: Any) -> bool:  # noqa: ANN401
        """True for the item with this key. A field that a manifest leaves to its default matches every key."""
        return isinstance(item, dict) and all(item.get(name, value) == value for name, value in self.fields)


@dataclass(frozen=True)
class Value:
    """An item of a list that is a set."""

    text: str

    def __str__(self) -> str:
        return f"[{self.text}]"


Element: TypeAlias = str | int | Key | Value
Path: TypeAlias = tuple[Element, ...]
Fields: TypeAlias = Mapping[str, Any]


class _Missing:
    """Nothing there; unlike None, which may be a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of `metadata.managedFields`; `subresource` is empty for the object itself, `since` is RFC 3339."""

    manager: str
    operation: str
    subresource: str
    since: str | None
    fields: Fields


def entries(live: Mapping[str, Any]) -> list[Entry]:
    """The managers of a live object's fields."""
    return [
        Entry(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", ""),
            subresource=entry.get("subresource", ""),
            since=entry.get("time"),
            fields=entry.get("fieldsV1") or {},
        )
        for entry in live["metadata"].get("managedFields") or ()
    ]


def element(key: str) -> Element:
    """A key of `fieldsV1` as an element of a path."""
    kind, _, rest = key.partition(":")
    if kind == "k":
        return Key(tuple(sorted(json.loads(rest).items())))
    if kind == "v":
        return value_element(json.loads(rest))
    return int(rest) if kind == "i" else rest


def value_element(value: object) -> Value:
    """The element of a value in a set."""
    return Value(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def text(path: Path) -> str:
    """A path for people: `spec.template.spec.containers[name=server].image`."""
    found = ""
    for part in path:
        if isinstance(part, str):
            found += f".{part}" if found else part
        else:
            found += f"[{part}]" if isinstance(part, int) else str(part)
    return found


def lookup(node: Any, path: Path) -> Any:  # noqa: ANN401
    """The value of an object at a path; MISSING where there is none."""
    for part in path:
        node = _child(node, part)
        if node is MISSING:
            break
    return node


def _child(node: Any, part: Element) -> Any:  # noqa: ANN401
    if isinstance(part, str):
        return node.get(part, MISSING) if isinstance(node, dict) else MISSING
    place = position(node, part)
    return MISSING if place is None else node[place]


def position(node: object, part: Element) -> int | None:
    """Where a list holds an item; None where it does not, or where there is no list."""
    if not isinstance(node, list):
        return None
    if isinstance(part, int):
        return part if part < len(node) else None
    for place, item in enumerate(node):
        if part.of(item) if isinstance(part, Key) else part == value_element(item):
            return place
    return None


def undeclared(fields: Fields, manifest: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401
    """The paths a manager owns that a manifest does not name; an added item of a list is one path, whole."""
    for key, below in fields.items():
        if key == ".":
            continue
        part = element(key)
        here, declared = (*path, part), _child(manifest, part)
        if declared is not MISSING:
            yield from undeclared(below, declared, here)
        elif not below or (isinstance(part, Key) and "." in below):
            yield here
        else:
            yield from undeclared(below, MISSING, here)


def list_keys(found: list[Entry]) -> dict[Path, tuple[str, ...]]:
    """The lists whose items have keys: the path of each with the names of the key fields; none for a set."""
    keys: dict[Path, tuple[str, ...]] = {}
    for entry in found:
        _collect(entry.fields, (), keys)
    return keys


def _collect(fields: Fields, path: Path, keys: dict[Path, tuple[str, ...]]) -> None:
    for key, below in fields.items():
        if key == ".":
            continue
        part = element(key)
        if isinstance(part, Key):
            keys[path] = tuple(name for name, _ in part.fields)
        elif isinstance(part, Value):
            keys[path] = ()
        _collect(below, (*path, part), keys)


def owns(fields: Fields, path: Path) -> bool:
    """True when a manager owns a path, something above it as a whole, or something below it."""
    for part in path:
        below = next((value for key, value in fields.items() if key != "." and element(key) == part), None)
        if below is None:
            return False
        if not below:
            return True
        fields = below
    return True
