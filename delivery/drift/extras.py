"""Objects that are in the cluster and not in the commit. Pure functions."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from components.kubernetes import naming
from delivery.drift.comparing import CONTROLLERS, Drift, DriftClass
from delivery.drift.fields import Entry, entries
from delivery.identity import Identity, identity

_RBAC = "rbac.authorization.k8s.io/"
# What the cluster writes for itself, under labels it copies; and Secrets, which are never in git.
NOT_LISTED = frozenset(
    {
        "secrets",
        "events",
        "events.events.k8s.io",
        "endpoints",
        "endpointslices.discovery.k8s.io",
        "leases.coordination.k8s.io",
        "controllerrevisions.apps",
        "componentstatuses",
    }
)


def extra(found: Iterable[Mapping[str, Any]], declared: Collection[Identity], stage: str) -> list[Drift]:
    """The live objects that nothing declares: not the commit, not an owner, not a controller."""
    drift = {}
    for live in found:
        here = identity(live)
        if here in declared or live["metadata"].keys() & {"ownerReferences", "deletionTimestamp"}:
            continue
        writers = [entry for entry in entries(live) if not entry.subresource]
        # The server records no writer for an object without fields; each namespace has this one.
        if here.kind == "ServiceAccount" and here.name == "default":
            continue
        if _is_deployers(live, stage):
            continue
        if writers and all(entry.manager in CONTROLLERS for entry in writers):
            continue
        drift[here] = Drift(
            object=here,
            kind=DriftClass.EXTRA,
            live=live,
            manager=_creator(writers),
            since=live["metadata"].get("creationTimestamp"),
            labelled=(live["metadata"].get("labels") or {}).get(naming.STAGE) == stage,
        )
    return sorted(drift.values(), key=lambda d: d.object)


def _is_deployers(live: Mapping[str, Any], stage: str) -> bool:
    """Whether gitops/ declares an object: the rights of the account by which a controller deploys the stage.

    A binding of that name with another subject is not one of them.
    """
    name = naming.deployer_name(stage)
    if live["metadata"]["name"] != name or not str(live["apiVersion"]).startswith(_RBAC):
        return False
    subjects = [(one["kind"], one["name"]) for one in live.get("subjects") or ()]
    return live["kind"] == "Role" or (
        live["kind"] == "RoleBinding"
        and live["roleRef"]["name"] == name
        and subjects == [("ServiceAccount", name.removesuffix("-deployer"))]
    )


def kept_note(drift: Drift) -> str:
    """What a kept object is, why it is there, and how to remove it."""
    return (
        f"{drift.object} is no longer declared and is kept on purpose, since it holds data; this is not drift and is "
        "never deleted. To remove it, declare it again with online.redis.deleteData: true, deploy, take it out and "
        "deploy again: docs/feature-store.md"
    )


def _creator(writers: list[Entry]) -> str | None:
    outside = [entry for entry in writers if entry.manager not in CONTROLLERS]
    return min(outside, key=lambda entry: entry.since or "").manager if outside else None
