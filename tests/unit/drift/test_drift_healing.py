"""What is healed of one object, without a cluster."""

import copy

import pytest

from components.errors import UserError
from delivery.drift.comparing import Drift, DriftClass, compare
from delivery.drift.fields import Key, Path, text
from delivery.drift.healing import VERSION_LABEL, keeping, refuse_other_release, restored, without
from delivery.drift.looking import Findings
from delivery.identity import identity
from tests.support.drifted import (
    CONTAINERS,
    OWN,
    SERVER,
    Object,
    change,
    config_map,
    deployed,
    item,
    managed,
    manifest,
    server,
)


def test_another_version_is_a_deployment_and_not_healed() -> None:
    def found(path: Path) -> Findings:
        drift = Drift(
            object=identity(config_map("m", OWN)),
            kind=DriftClass.CHANGED,
            path=path,
            declared="v1",
            live="v2",
        )
        return Findings(drift=(drift,), ignored=(), live={}, notes=(), problems=())

    with pytest.raises(UserError, match="runs v2, and the commit says v1"):
        refuse_other_release(found(VERSION_LABEL))
    refuse_other_release(found(("metadata", "labels", "app.kubernetes.io/name")))


def test_foreign_fields_are_taken_out_with_what_only_held_them_and_the_lock_stays() -> None:
    live = deployed()
    server(live)["securityContext"] = {"privileged": True}
    server(live)["command"] = ["a", "b", "c"]
    paths: list[Path] = [
        (*SERVER, "securityContext", "privileged"),
        (*SERVER, "command", 1),
        (*SERVER, "command", 2),
        (*SERVER, "env", Key((("name", "A"),))),
    ]
    cleaned = without(live, paths, manifest())
    assert "securityContext" not in server(cleaned)
    assert server(cleaned)["command"] == ["a"]
    assert [variable["name"] for variable in server(cleaned)["env"]] == ["B"]
    assert cleaned["metadata"]["resourceVersion"] == "7"
    assert "securityContext" in server(live)


def test_a_renamed_item_gets_its_name_back_in_one_step() -> None:
    live = deployed(managed("guest", in_containers("other")))
    server(live)["name"] = "other"
    found = compare(manifest(), live, manifest_with_both(), {OWN})
    assert [(each.kind.value, each.field) for each in found] == [
        ("removed", text(SERVER)),
        ("added", text((*CONTAINERS, Key((("name", "other"),))))),
    ]
    # Without its only container, the pod would be refused.
    healed = restored(live, found, manifest())
    assert [each["name"] for each in healed["spec"]["template"]["spec"]["containers"]] == ["server"]
    assert server(healed)["image"] == "a:1"


def in_containers(name: str) -> Object:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": item(name, "image")}}}}


def manifest_with_both() -> Object:
    """What the server says that applying would lead to: it keeps what others added."""
    found = deployed()
    containers = found["spec"]["template"]["spec"]["containers"]
    containers.append({**copy.deepcopy(containers[0]), "name": "other"})
    return found


def test_what_is_declared_empty_is_not_taken_out() -> None:
    wanted, live = manifest(), deployed()
    wanted["spec"]["template"]["spec"]["tolerations"] = []
    live["spec"]["template"]["spec"]["tolerations"] = [{"key": "a"}]
    cleaned = without(live, [("spec", "template", "spec", "tolerations", 0)], wanted)
    assert cleaned["spec"]["template"]["spec"]["tolerations"] == []


def test_ignored_fields_are_applied_as_they_are() -> None:
    live = deployed()
    live["spec"]["replicas"] = 1
    gone = Drift(object=identity(live), kind=DriftClass.REMOVED, path=("metadata", "labels", "team"))
    kept = keeping(manifest(), live, [change(), gone])
    assert kept["spec"]["replicas"] == 1
    assert kept["metadata"]["labels"] == {}
    assert manifest()["spec"]["replicas"] == 2
