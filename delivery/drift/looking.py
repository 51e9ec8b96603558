"""Compares a stage's cluster with its target."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from components.errors import Problem
from components.kubernetes import naming
from delivery.drift.comparing import PULL_CONTROLLERS, Drift, DriftClass, compare, compare_refused
from delivery.drift.extras import NOT_LISTED, extra, kept_note
from delivery.drift.ignoring import idle, split
from delivery.drift.kubectl import Kubectl, ServedKind, listed, served_kinds
from delivery.drift.owners import AUTOSCALER, platform, scaled
from delivery.drift.target import Target
from delivery.identity import Identity, identity
from delivery.releases.namespaces import foreign_namespaces

_SHOWN = 3
Objects = dict[Identity, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The result of a comparison with the cluster.

    Attributes:
        live: The objects of the target that exist.
        drift: What differs and is not ignored, ordered by object and field.
        ignored: What differs and is ignored.
        notes: Remarks, a line each.
        problems: What could not be compared, each with the server's reason.
        absent: Where nothing of the stage exists: which cluster was asked, and what to do; else None.
    """

    live: Objects
    drift: tuple[Drift, ...]
    ignored: tuple[Drift, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    absent: Problem | None = None


def manager(target: Target) -> str:
    """The field manager with which the stage's objects are applied."""
    return naming.annotations(target.settings.stage)["pulumi.com/patchFieldManager"]


def look(target: Target, kubectl: Kubectl) -> Findings:
    """Compare a stage's cluster with its target. The number of kubectl commands does not grow with the objects.

    Raises:
        UserError: the cluster cannot be reached, or refuses to be read or compared.
    """
    kinds = kubectl.kinds()
    served = served_kinds(kinds)
    known = [m for m in target.manifests if (m["apiVersion"], m["kind"]) in served]
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(kubectl.get, known)
        listing = pool.submit(_listed, target, kubectl, kinds)
        live = {identity(found): found for found in reading.result()}
        there = _staying(live)
        wanted = [m for m in known if identity(m) in there]
        applied, refused = kubectl.would_apply(wanted, manager(target))
        inside, outside, notes = listing.result()
    drift, problems = _compared(target, live, {identity(each): each for each in applied}, refused)
    if not notes:
        drift = _of_autoscalers(drift, scaled(inside))
    drift += [_deleted(m, served) for m in target.manifests if identity(m) not in there]
    declared = {identity(m) for m in target.manifests}
    found, elsewhere = (extra(objects, declared, target.settings.stage) for objects in (inside, outside))
    drift += [each for each in found if not naming.is_kept(each.live)]
    notes += [kept_note(each) for each in [*found, *elsewhere] if naming.is_kept(each.live)]
    notes += _elsewhere([each for each in elsewhere if not naming.is_kept(each.live)])
    rules = target.settings.drift.ignore
    kept, passed = split(drift, rules)
    notes += idle(drift, rules)
    kept, noted = _of_platforms(kept)
    notes += noted
    absent = None if _is_deployed(target, live) else _absent(target, kubectl)
    if absent is None:
        problems += map(str, foreign(target, live))
    notes += [] if absent is None else [str(absent)]
    return Findings(
        live=live,
        drift=tuple(sorted(kept, key=lambda d: (d.object, d.field))),
        ignored=tuple(passed),
        notes=tuple(notes),
        problems=tuple(problems),
        absent=absent,
    )


def foreign(target: Target, live: Objects) -> list[Problem]:
    """The namespaces that are someone else's although the stage would own them."""
    namespaces = {here.name: found for here, found in live.items() if here.kind == "Namespace"}
    return foreign_namespaces(target.settings, namespaces)


def _of_autoscalers(found: list[Drift], scaled_objects: set[Identity]) -> list[Drift]:
    """The drift, in which an autoscaler owns only what one still scales: the server keeps the name of a removed one."""
    return [
        replace(drift, owner="")
        if drift.owner == AUTOSCALER and drift.object not in scaled_objects
        else drift
        for drift in found
    ]


def _of_platforms(found: list[Drift]) -> tuple[list[Drift], list[str]]:
    """The drift without what platforms put on the stage's namespaces, and a note for each platform on each of them.

    Every namespace of such a cluster has it, and access to the namespace depends on it.
    """
    theirs: dict[tuple[Identity, str], list[str]] = {}
    rest = []
    for drift in found:
        whose = platform(drift.object, drift.path) if drift.kind is DriftClass.ADDED else ""
        if whose:
            theirs.setdefault((drift.object, whose), []).append(drift.field)
        else:
            rest.append(drift)
    return rest, [
        f"{here} has metadata of {whose}, which is not drift and is kept: {', '.join(sorted(fields))}"
        for (here, whose), fields in sorted(theirs.items())
    ]


def _is_deployed(target: Target, live: Objects) -> bool:
    """True when any object is the stage's that `pulumi destroy` would remove.

    One of the same name that lacks its label, like a namespace, is not the stage's.
    """
    labels = (found["metadata"].get("labels") or {} for found in live.values() if not naming.is_kept(found))
    return any(each.get(naming.STAGE) == target.settings.stage for each in labels)


def _absent(target: Target, kubectl: Kubectl) -> Problem:
    stage = target.settings.stage
    return Problem(
        f"nothing of {stage} is at {kubectl.server()} (context {kubectl.current_context()}): it was never deployed "
        "there, or all of it is gone",
        f"deploy it with `make deploy STAGE={stage}`; if this is the wrong cluster, "
        "name the right context with ml-deployments:kubeContext in the stack file",
    )


def _staying(live: Objects) -> set[Identity]:
    """The objects that are not being deleted, alone or with their namespace."""
    going = {here for here, found in live.items() if "deletionTimestamp" in found["metadata"]}
    namespaces = {here.name for here in going if here.kind == "Namespace"}
    return {here for here in live if here not in going and here.namespace not in namespaces}


def _compared(
    target: Target, live: Objects, applied: Objects, refused: dict[Identity, str]
) -> tuple[list[Drift], list[str]]:
    own = {manager(target), *PULL_CONTROLLERS}
    drift: list[Drift] = []
    problems: list[str] = []
    for manifest in target.manifests:
        here = identity(manifest)
        if here in applied:
            drift += compare(manifest, live[here], applied[here], own)
        elif here in refused:
            found = compare_refused(manifest, live[here], own, refused[here])
            drift += found
            if not found:
                problems.append(f"{here} cannot be compared: {refused[here]}")
    return drift, problems


def _deleted(manifest: dict[str, Any], served: set[tuple[str, str]]) -> Drift:
    version, kind = manifest["apiVersion"], manifest["kind"]
    missing = (
        f"the cluster does not have the kind {kind} in {version}; install its custom resource definition"
    )
    return Drift(
        object=identity(manifest),
        kind=DriftClass.DELETED,
        declared=manifest,
        reason="" if (version, kind) in served else missing,
    )


def _listed(
    target: Target, kubectl: Kubectl, kinds: list[ServedKind]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Everything in the namespaces the stage owns, everything without a namespace that has its label, and notes."""
    namespaces = [m["metadata"]["name"] for m in target.manifests if m["kind"] == "Namespace"]
    label = f"--selector={naming.STAGE}={target.settings.stage}"
    searches = [(listed(kinds, NOT_LISTED, namespaced=False), label)]
    searches += [(listed(kinds, NOT_LISTED, namespaced=True), f"--namespace={name}") for name in namespaces]
    with ThreadPoolExecutor() as pool:
        (outside, hidden), *answers = pool.map(lambda search: kubectl.all_of(*search), searches)
    inside = [live for objects, _ in answers for live in objects]
    refused = sorted({*hidden, *(line for _, lines in answers for line in lines)})
    if not refused:
        return inside, outside, []
    note = f"extra objects were not searched for everywhere: {refused[0]} ({len(refused)} refused)"
    return inside, outside, [note]


def _elsewhere(found: list[Drift]) -> list[str]:
    """Not drift: another project may have a stage of the same name in the cluster, and a heal must not touch it."""
    if not found:
        return []
    first = ", ".join(str(drift.object) for drift in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [
        f"outside the stage's namespaces its label is on {first}{more}: left over, or of another project's stage of "
        "the same name; this is not drift and is never deleted"
    ]
