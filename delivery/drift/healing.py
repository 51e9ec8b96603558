"""Restores what a commit declares, and touches nothing else."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from components.errors import SettingsError, UserError
from delivery.drift.comparing import PULL_CONTROLLERS, Drift, DriftClass
from delivery.drift.fields import MISSING, Key, Path, entries, lookup, position
from delivery.drift.kubectl import Kubectl
from delivery.drift.looking import Findings, foreign, look, manager
from delivery.drift.target import Target
from delivery.identity import identity

_OF_FIELDS = {DriftClass.CHANGED, DriftClass.REMOVED, DriftClass.ADDED}
VERSION_LABEL: Path = ("metadata", "labels", "app.kubernetes.io/version")


@dataclass(frozen=True, kw_only=True)
class Healed:
    """What a heal did: the drift that is gone, what is left, and what the server refused."""

    healed: tuple[Drift, ...]
    after: Findings
    refused: tuple[str, ...]


def heal(target: Target, kubectl: Kubectl, found: Findings) -> Healed:
    """Restore a stage and compare again.

    Deleted objects are created, declared fields are applied, fields of others are removed unless the object changed
    since it was read, and extra objects with the stage's label are deleted. What another controller owns is left alone,
    and so are extra objects without the label, and those that hold data.

    Raises:
        UserError: nothing of the stage is in the cluster, a controller of pull mode applies it, a namespace is
            someone else's, or the cluster cannot be reached.
    """
    if found.absent is not None:
        raise UserError(
            f"A heal is not a deployment; nothing was changed: {found.absent.reason}", found.absent.fix
        )
    if others := foreign(target, found.live):
        raise SettingsError(others)
    _refuse_pulled(found)
    ours = [drift for drift in found.drift if not drift.owner]
    restorable = [drift for drift in ours if not drift.reason]
    left_alone = [*found.ignored, *(drift for drift in found.drift if drift.owner)]
    going = [m for m in found.live.values() if "deletionTimestamp" in m["metadata"]]
    refused = [kubectl.delete(going)] if going else []
    cleaned = [
        restored(found.live[here], drifts, target_of(target, here))
        for here, drifts in _by_object(d for d in ours if d.kind in _OF_FIELDS)
        if any(drift.kind is DriftClass.ADDED for drift in drifts)
    ]
    refused += [kubectl.replace(cleaned, manager(target))] if cleaned else []
    broken = {drift.object for drift in restorable if drift.kind is not DriftClass.EXTRA}
    wanted = [
        keeping(m, found.live.get(identity(m)), [d for d in left_alone if d.object == identity(m)])
        for m in target.manifests
        if identity(m) in broken
    ]
    refused += [kubectl.apply(wanted, manager(target))] if wanted else []
    orphans = [drift.live for drift in restorable if drift.removable]
    refused += [kubectl.delete(orphans)] if orphans else []
    after = look(target, kubectl)
    left = {(drift.object, drift.path) for drift in after.drift}
    return Healed(
        healed=tuple(drift for drift in found.drift if (drift.object, drift.path) not in left),
        after=after,
        refused=tuple(text for text in refused if text),
    )


def refuse_other_release(found: Findings) -> None:
    """Refuse where the cluster runs other versions than the commit: that needs a deployment and is not drift.

    Raises:
        UserError: names each object with both versions.
    """
    released = [
        f"{drift.object} runs {drift.live}, and the commit says {drift.declared}"
        for drift in found.drift
        if drift.kind is DriftClass.CHANGED and drift.path == VERSION_LABEL
    ]
    if released:
        raise UserError(
            f"{'; '.join(released)}. A heal is not a deployment; nothing was changed",
            "check out the commit that was deployed, "
            "deploy this one with `make deploy`, or name the commit to restore with --revision",
        )


def target_of(target: Target, here: object) -> dict[str, Any]:
    """The manifest of an object of the target."""
    return next(m for m in target.manifests if identity(m) == here)


def restored(live: dict[str, Any], drifts: list[Drift], manifest: dict[str, Any]) -> dict[str, Any]:
    """A live object without the fields that others added, and with the declared ones that it lacks.

    The server may refuse an object without either, such as a pod whose only container has another name.
    """
    result = without(live, [d.path for d in drifts if d.kind is DriftClass.ADDED], manifest)
    for drift in drifts:
        if drift.kind is DriftClass.REMOVED and isinstance(drift.path[-1], Key):
            _add(result, drift.path, drift.declared)
    return result


def without(live: dict[str, Any], paths: Iterable[Path], manifest: dict[str, Any]) -> dict[str, Any]:
    """A live object without some fields, and without their empty parents. Its resource version stays, as a lock."""
    result = copy.deepcopy(live)
    # The last item of a list is removed first, so that the indexes of the others stay valid.
    for path in sorted(paths, key=_places, reverse=True):
        _remove(result, path)
        for end in range(len(path) - 1, 0, -1):
            above = path[:end]
            if lookup(result, above) not in ({}, []) or lookup(manifest, above) is not MISSING:
                break
            _remove(result, above)
    result.pop("status", None)
    return result


def keeping(manifest: dict[str, Any], live: dict[str, Any] | None, left_alone: list[Drift]) -> dict[str, Any]:
    """A manifest with the live values of drift that is left alone: without them, the server would reset the fields.

    What a controller owns is left out instead, so that it stays the controller's in the server's record.
    """
    if live is None or not left_alone:
        return manifest
    result = copy.deepcopy(manifest)
    for drift in left_alone:
        if drift.kind is DriftClass.REMOVED or (drift.owner and drift.kind is DriftClass.CHANGED):
            _remove(result, drift.path)
        # For a changed order the values are keys only; applying restores it.
        elif drift.kind is DriftClass.CHANGED and lookup(live, drift.path) == drift.live:
            _set(result, drift.path, drift.live)
    return result


def _refuse_pulled(found: Findings) -> None:
    for here, live in found.live.items():
        for entry in entries(live):
            if entry.manager in PULL_CONTROLLERS and entry.operation == "Apply":
                raise UserError(
                    f"{here} is applied by {entry.manager}; a heal would fight it",
                    "let that controller reconcile, or omit --heal to only compare",
                )


def _places(path: Path) -> list[int]:
    return [part for part in path if isinstance(part, int)]


def _by_object(drifts: Iterable[Drift]) -> list[tuple[Any, list[Drift]]]:
    found: dict[Any, list[Drift]] = {}
    for drift in drifts:
        found.setdefault(drift.object, []).append(drift)
    return list(found.items())


def _remove(node: dict[str, Any], path: Path) -> None:
    above, last = lookup(node, path[:-1]), path[-1]
    if isinstance(last, str):
        if isinstance(above, dict):
            above.pop(last, None)
    elif (place := position(above, last)) is not None:
        above.pop(place)


def _add(node: dict[str, Any], path: Path, item: object) -> None:
    """Add an item to the list that it is missing from; nothing where there is no such list."""
    above = lookup(node, path[:-1])
    if isinstance(above, list):
        above.append(copy.deepcopy(item))


def _set(node: dict[str, Any], path: Path, value: object) -> None:
    above, last = lookup(node, path[:-1]), path[-1]
    if isinstance(last, str):
        if isinstance(above, dict):
            above[last] = value
    elif (place := position(above, last)) is not None:
        above[place] = value
