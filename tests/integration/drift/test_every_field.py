"""Drift sees a change of every field that the program can render."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from delivery.drift.comparing import Drift
from delivery.drift.healing import heal
from delivery.drift.kubectl import Kubectl
from delivery.drift.looking import Findings, look, manager
from delivery.drift.target import Target
from delivery.identity import Identity, identity
from sandbox.harness.clone import Clone
from tests.integration.drift.leaves import (
    Leaf,
    Object,
    at,
    is_changeable,
    leaves,
    names,
    others,
    with_value,
)
from tests.support.rich_stages import RICH_STAGES, STAGE

GUEST = "guest"
_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The leaves' objects in the cluster, as a deployment leaves them, where no pod starts."""

    kubectl: Kubectl
    target: Target
    leaves: list[Leaf]

    def look(self) -> Findings:
        return look(self.target, self.kubectl)

    def heal(self, found: Findings) -> None:
        healed = heal(self.target, self.kubectl, found)
        assert healed.refused == ()
        assert healed.after.drift == ()


@pytest.fixture(scope="module")
def applied(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """Removed at the end, with what the leaves have outside their namespace."""
    folder, namespace = tmp_path_factory.mktemp("leaves"), "leaves"
    sandbox.run("kubectl", "create", "namespace", namespace)
    sandbox.run("kubectl", "create", "quota", "no-pods", "--hard=pods=0", f"--namespace={namespace}")
    RICH_STAGES["bare"].write(folder / "settings")
    settings = load_stack(Sources.of(folder / "settings"), STAGE).settings
    found = leaves(folder / "stages", namespace)
    target = Target(settings=settings, manifests=tuple(leaf.manifest for leaf in found), revision=None)
    kubectl = Kubectl(None, sandbox.environment)
    assert kubectl.apply(target.manifests, manager(target)) == ""
    assert look(target, kubectl).drift == ()
    yield Applied(kubectl=kubectl, target=target, leaves=found)
    for kind in ("namespaces", "clusterroles", "clusterrolebindings"):
        names_there = sandbox.run("kubectl", "get", kind, "--output=name").stdout.split()
        own = [name for name in names_there if name.partition("/")[2].startswith(namespace)]
        sandbox.run("kubectl", "delete", "--wait=false", *own)


def live_objects(kubectl: Kubectl, manifests: Sequence[Object]) -> dict[Identity, Object]:
    return {identity(one): one for one in kubectl.get(manifests)}


def content(found: Object) -> Object:
    """What people decide of an object."""
    metadata = {name: value for name, value in found["metadata"].items() if name not in _SERVERS_OWN}
    return {**{name: value for name, value in found.items() if name != "status"}, "metadata": metadata}


def changed(kubectl: Kubectl, found: list[Leaf], edits: Callable[[Leaf, Object], list[Object]]) -> list[Leaf]:
    """Write the first edit of each leaf's object that the API server takes; returns the leaves it takes one for."""
    before = live_objects(kubectl, [leaf.manifest for leaf in found])
    left = {identity(leaf.manifest): edits(leaf, before[identity(leaf.manifest)]) for leaf in found}
    for number in range(max(map(len, left.values()))):
        left = {here: every for here, every in left.items() if number < len(every)}
        # Without a version, so that a controller's write in between refuses nothing.
        kubectl.replace([without_version(every[number]) for every in left.values()], GUEST)
        now = live_objects(kubectl, [before[here] for here in left])
        left = {here: left[here] for here in left if content(now[here]) == content(before[here])}
    now = live_objects(kubectl, list(before.values()))
    return [
        leaf
        for leaf in found
        if content(now[identity(leaf.manifest)]) != content(before[identity(leaf.manifest)])
    ]


def without_version(found: Object) -> Object:
    metadata = {name: value for name, value in found["metadata"].items() if name != "resourceVersion"}
    return {**found, "metadata": metadata}


def by_object(found: Findings) -> dict[Identity, list[Drift]]:
    drift: dict[Identity, list[Drift]] = {}
    for each in found.drift:
        drift.setdefault(each.object, []).append(each)
    return drift


def is_about(drift: Drift, leaf: Leaf) -> bool:
    """True when a difference is at the leaf, above it or below it."""
    one, other = [part for part in drift.path if isinstance(part, str)], names(leaf.place)
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def spelled(leaf: Leaf) -> str:
    return f"{leaf.manifest['kind']} {leaf.shape}"


def unseen(found: Findings, edited: list[Leaf]) -> list[str]:
    drift = by_object(found)
    return [
        spelled(leaf)
        for leaf in edited
        if not any(is_about(each, leaf) for each in drift.get(identity(leaf.manifest), ()))
    ]


def test_every_changed_field_is_seen_and_healed(applied: Applied) -> None:
    changeable = [leaf for leaf in applied.leaves if is_changeable(leaf)]
    edited = changed(applied.kubectl, changeable, other_values)
    assert [spelled(leaf) for leaf in changeable if leaf not in edited] == []
    seen = applied.look()
    assert unseen(seen, edited) == []
    assert {drift.object for drift in seen.drift} == {identity(leaf.manifest) for leaf in edited}
    applied.heal(seen)


@pytest.mark.soak
def test_every_removed_field_is_seen_and_healed(applied: Applied) -> None:
    # An empty list or mapping means what none does.
    filled = [leaf for leaf in applied.leaves if at(leaf.manifest, leaf.place) not in ({}, [])]
    edited = changed(applied.kubectl, filled, without_it)
    # The others are required, immutable, or have a default that is what the manifest says.
    assert len(edited) > len(applied.leaves) / 3
    seen = applied.look()
    assert unseen(seen, edited) == []
    assert {drift.object for drift in seen.drift} == {identity(leaf.manifest) for leaf in edited}
    applied.heal(seen)


def without_it(leaf: Leaf, live: Object) -> list[Object]:
    edited = copy.deepcopy(live)
    above = at(edited, leaf.place[:-1])
    if not isinstance(above, dict | list) or at(live, leaf.place) is None:
        return []
    del above[leaf.place[-1]]  # type: ignore[arg-type]
    return [edited]


def other_values(leaf: Leaf, live: Object) -> list[Object]:
    if not isinstance(at(live, leaf.place[:-1]), dict | list):
        return []
    value = at(live, leaf.place)
    return [
        with_value(live, leaf.place, other)
        for other in others(at(leaf.manifest, leaf.place) if value is None else value)
    ]
