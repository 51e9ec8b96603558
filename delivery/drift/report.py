"""What was found, for people and for machines. Pure functions."""

import json
from collections.abc import Iterable
from typing import Any

from components.errors import Problem
from delivery.drift.comparing import HOLDS_DATA, Drift, DriftClass
from delivery.drift.fields import MISSING, Key
from delivery.drift.looking import Findings
from delivery.drift.target import Target
from delivery.policies.plain_secrets import names_secret

COLUMNS = ("object", "class", "field", "declared", "live", "by, since")
HIDDEN = "(not shown)"
_LONGEST = 48


def document(target: Target, found: Findings, healed: Iterable[Drift] = ()) -> dict[str, Any]:
    """The answer of `--json`; docs/drift.md describes it.

    Returns:
        `stage`, `revision` (None for the files as they are), `objects` (how many the stage declares), `drift` and
        `healed` (lists of entries), `ignored` (how many differences), `notes` and `problems` (lines).
    """
    return {
        "stage": target.settings.stage,
        "revision": target.revision,
        "objects": len(target.manifests),
        "drift": [entry(drift) for drift in found.drift],
        "ignored": len(found.ignored),
        "healed": [entry(drift) for drift in healed],
        "notes": [*target.notes, *found.notes],
        "problems": list(found.problems),
    }


def entry(drift: Drift) -> dict[str, Any]:
    """One difference; for a whole object `field` is empty and both values are None. A missing value is None."""
    here = drift.object
    return {
        "kind": here.kind,
        "namespace": here.namespace or None,
        "name": here.name,
        "class": drift.kind.value,
        "field": drift.field,
        "declared": _value(drift, drift.declared),
        "live": _value(drift, drift.live),
        "manager": drift.manager,
        "since": drift.since,
        "labelled": drift.labelled,
        "reason": drift.reason or None,
        "owner": drift.owner or None,
    }


def row(drift: Drift) -> tuple[str, ...]:
    """One difference as a line of the table, shortened."""
    declared, live = (_short(_value(drift, value)) for value in (drift.declared, drift.live))
    owner = f"({drift.owner})" if drift.owner else None
    who = "\n".join(filter(None, (drift.manager, owner, drift.since)))
    return str(drift.object), drift.kind.value, drift.field, declared, live, who


def remedies(found: Iterable[Drift]) -> list[str]:
    """A line for each object that a heal leaves as it is, with the fix."""
    lines = []
    for drift in found:
        here = drift.object
        where = f" --namespace={here.namespace}" if here.namespace else ""
        kind = f"{here.kind.lower()}.{here.group}" if here.group else here.kind.lower()
        delete = f"`kubectl delete {kind} {here.name}{where}`"
        if drift.kind is DriftClass.EXTRA and not drift.removable:
            why = "holds data" if drift.labelled else "has no label of the stage"
            warning = ", which deletes the data" if here.kind in HOLDS_DATA else ""
            fix = f"name it under ml-deployments:drift.ignore in the stack file, or {delete}{warning}"
            lines.append(str(Problem(f"{here} is never deleted: it {why}", fix)))
        elif drift.kind is DriftClass.DELETED and drift.reason:
            lines.append(f"{here} cannot be created: {drift.reason}")
        elif drift.owner:
            what = f"{here} {drift.field} is kept as it is: it belongs to {drift.owner}"
            fix = "name it under ml-deployments:drift.ignore in the stack file, or remove what writes it, and the field"
            lines.append(str(Problem(what, fix)))
        elif drift.reason:
            fix = f"{delete}, which stops what it runs, and then heal again"
            lines.append(str(Problem(f"{here} cannot be restored in place: {drift.reason}", fix)))
    return list(dict.fromkeys(lines))


def _value(drift: Drift, value: object) -> Any:  # noqa: ANN401
    if not drift.path or value is MISSING:
        return None
    # Logs of CI are read by more people than the cluster.
    names = (name for part in drift.path if isinstance(part, Key) for _, name in part.fields)
    return HIDDEN if any(names_secret(str(name)) for name in names) else value


def _short(value: object) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value)
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 3]}..."
