"""One object: what applying its manifest would change, and what others added to it. Pure functions.

The server itself says what the object would be after applying, so its defaults and its way to write a quantity are not
drift. What others added stays when a manifest is applied; it is found by its owner.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from components.settings.stack import PROJECT
from delivery.drift import values
from delivery.drift.fields import (
    MISSING,
    Entry,
    Key,
    Path,
    entries,
    list_keys,
    lookup,
    owns,
    text,
    undeclared,
    value_element,
)
from delivery.drift.owners import controller, metadata_key, platform
from delivery.identity import Identity, identity

Manifest = Mapping[str, Any]
# Controllers of Kubernetes itself and of prometheus-operator. A client chooses its manager name itself.
CONTROLLERS = frozenset(
    {
        "kube-apiserver",
        "kube-controller-manager",
        "cloud-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kwok",
        "PrometheusOperator",
    }
)
# They apply the same rendered manifests in pull mode.
PULL_CONTROLLERS = frozenset({"argocd-controller", "kustomize-controller"})
# Where the order of items with keys has a meaning: later ones refer to earlier ones, or run after them.
_ORDERED = {"env", "initContainers"}
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/: deprecated, and an alias.
_OLD_NAMES = {"serviceAccount": "serviceAccountName"}
_SERVERS_OWN = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}


class DriftClass(StrEnum):
    """What happened to a field or an object."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    DELETED = "deleted"
    EXTRA = "extra"


# Labels and annotations of a namespace with which the stage's rules are enforced, whoever else writes them.
_STAGES_OWN = ("pod-security.kubernetes.io/", f"{PROJECT}/")
# Deleting one deletes what was written to it.
HOLDS_DATA = frozenset({"PersistentVolumeClaim", "PersistentVolume"})


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One difference between a commit and the cluster.

    Attributes:
        object: The object that differs.
        kind: What happened.
        path: The field; empty for a whole object.
        declared: The field's value in the commit; MISSING where it has none.
        live: The field's value in the cluster; MISSING where it has none.
        manager: Who wrote it, as the client named itself; None where the server kept no record.
        since: When that was, RFC 3339; None where the server kept no record.
        reason: Why it cannot be restored as it is, in the server's words; empty where it can.
        labelled: For an extra object: it carries the label of the stage.
        owner: Whose it is, where something else owns it on purpose; a heal keeps it. Empty where it is ours.
    """

    object: Identity
    kind: DriftClass
    path: Path = ()
    declared: Any = MISSING
    live: Any = MISSING
    manager: str | None = None
    since: str | None = None
    reason: str = ""
    labelled: bool = False
    owner: str = ""

    @property
    def removable(self) -> bool:
        """True for an extra object that a heal may delete: it is the stage's, and holds no data."""
        return self.kind is DriftClass.EXTRA and self.labelled and self.object.kind not in HOLDS_DATA

    @property
    def field(self) -> str:
        """The path as people write it."""
        return text(self.path)


def compare(manifest: Manifest, live: Manifest, applied: Manifest, own: Collection[str]) -> list[Drift]:
    """Every difference of one object, by field.

    Args:
        manifest: The object as it is rendered.
        live: The object in the cluster, with its managed fields.
        applied: The object after applying the manifest, as the server says, with its managed fields.
        own: The field managers whose fields are the project's.
    """
    managers = entries(live)
    keys = list_keys([*managers, *entries(applied)])
    found = [
        _drift(live, path, declared, now)
        for path, declared, now in _differences(_content(applied), _content(live), keys)
    ]
    return found + added(manifest, live, own, known={drift.path for drift in found})


def compare_refused(manifest: Manifest, live: Manifest, own: Collection[str], reason: str) -> list[Drift]:
    """Every difference of an object that the server refuses to apply, such as a changed immutable field.

    The manifest is then compared as it is written. Empty when nothing in it explains the refusal.
    """
    keys = list_keys(entries(live))
    found = [
        _drift(live, path, declared, now, reason=reason)
        for path, declared, now in _differences(_content(manifest), _content(live), keys)
        # The server leaves out what is empty, zero or false.
        if declared is not MISSING and (declared or now is not MISSING)
    ]
    return found + added(manifest, live, own, known={drift.path for drift in found})


def added(manifest: Manifest, live: Manifest, own: Collection[str], known: Collection[Path]) -> list[Drift]:
    """The fields that are owned neither by the project nor by the cluster's controllers, except the known ones."""
    found: dict[Path, Drift] = {}
    for entry in foreign(entries(live), own):
        for path in undeclared(entry.fields, manifest):
            now = lookup(live, path)
            inside = any(path[: len(other)] == other for other in known)
            if path[0] != "status" and now is not MISSING and not inside and not _is_copy(live, path, now):
                found[path] = _drift(live, path, MISSING, now)
    return list(found.values())


def _is_copy(live: Manifest, path: Path, now: object) -> bool:
    """True for the old name of a field, which the server fills in with the value of the new one."""
    new = _OLD_NAMES.get(str(path[-1]))
    return new is not None and lookup(live, (*path[:-1], new)) == now


def foreign(found: list[Entry], own: Collection[str]) -> list[Entry]:
    """The entries of managers that are neither the project's nor controllers."""
    trusted = {*own, *CONTROLLERS}
    return [entry for entry in found if entry.manager not in trusted and not entry.subresource]


def _drift(live: Manifest, path: Path, declared: object, now: object, *, reason: str = "") -> Drift:
    # The server keeps no record of who removed a field, and the owner of what is around it did not do it.
    owners = [e for e in entries(live) if now is not MISSING and owns(e.fields, path)]
    latest = max(owners, key=lambda entry: entry.since or "", default=None)
    here, kind = identity(live), _class(declared, now)
    return Drift(
        object=here,
        kind=kind,
        path=path,
        declared=declared,
        live=now,
        manager=latest.manager if latest else None,
        since=latest.since if latest else None,
        reason=reason,
        owner=_owner(here, path, kind, latest),
    )


def _owner(here: Identity, path: Path, kind: DriftClass, latest: Entry | None) -> str:
    """Whose a field is: a known controller's, or on a namespace that of whoever added a label or an annotation.

    A platform keeps there what its access control and its mesh need, under names that no list has. What enforces the
    stage's own rules is the stage's.
    """
    if kind is DriftClass.REMOVED or latest is None:
        return ""
    key = metadata_key(here, path)
    if kind is DriftClass.ADDED and key is not None and not key.startswith(_STAGES_OWN):
        return platform(here, path) or controller(latest) or latest.manager
    return controller(latest)


def _class(declared: object, now: object) -> DriftClass:
    if declared is MISSING:
        return DriftClass.ADDED
    return DriftClass.REMOVED if now is MISSING else DriftClass.CHANGED


def _content(found: Manifest) -> dict[str, Any]:
    """The part of an object that people decide: neither its status nor the server's own fields."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in _SERVERS_OWN}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def _differences(
    wanted: Any,  # noqa: ANN401
    live: Any,  # noqa: ANN401
    keys: Mapping[Path, tuple[str, ...]],
    path: Path = (),
) -> Iterator[tuple[Path, Any, Any]]:
    """Each path that differs, with both values. A list without keys differs item by item."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        yield from _pairs(wanted, live, keys, path)
    elif isinstance(wanted, list) and isinstance(live, list):
        names = keys.get(path)
        first, second = _items(wanted, names), _items(live, names)
        yield from _pairs(first, second, keys, path)
        wanted_order = [str(key) for key in first if key in second]
        live_order = [str(key) for key in second if key in first]
        if path[-1] in _ORDERED and wanted_order != live_order:
            yield path, wanted_order, live_order
    elif not values.same(path, wanted, live):
        yield path, wanted, live


def _pairs(
    wanted: dict[Any, Any], live: dict[Any, Any], keys: Mapping[Path, tuple[str, ...]], path: Path
) -> Iterator[tuple[Path, Any, Any]]:
    for part in {**wanted, **live}:
        one, other = wanted.get(part, MISSING), live.get(part, MISSING)
        yield from _differences(one, other, keys, (*path, part))


def _items(found: list[Any], names: tuple[str, ...] | None) -> dict[Any, Any]:
    """A list as a mapping: by key, by value of a set, or by place."""
    if names is None:
        return dict(enumerate(found))
    if not names:
        return {value_element(item): item for item in found}
    # A key field that a manifest leaves out is the default that the server would add: TCP is the only one.
    default = {"protocol": "TCP"}
    return {Key(tuple((n, item.get(n, default.get(n))) for n in names)): item for item in found}
