"""Drift of one object, without a cluster: who owns which field, and what differs."""

import copy

import pytest

from delivery.drift.comparing import DriftClass, compare, compare_refused
from delivery.drift.fields import MISSING, Key, element, lookup, text, undeclared
from delivery.drift.report import remedies
from tests.support.drifted import (
    NOON,
    OWN,
    SERVER,
    Object,
    deployed,
    in_server,
    item,
    managed,
    manifest,
    server,
)


def found_in(live: Object) -> list[tuple[str, str, str | None]]:
    return [(d.kind.value, d.field, d.manager) for d in compare(manifest(), live, deployed(), {OWN})]


def test_elements_of_paths() -> None:
    keys = ("f:spec", 'k:{"port":80,"protocol":"TCP"}', 'v:"x"', "i:3", "f:app.kubernetes.io/name")
    path = tuple(element(key) for key in keys)
    assert text(path) == "spec[port=80,protocol=TCP][x][3].app.kubernetes.io/name"


def test_an_item_is_found_by_its_key_where_the_manifest_leaves_the_default_out() -> None:
    spec = {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b", "protocol": "UDP"}]}
    second = Key((("port", 81), ("protocol", "TCP")))
    assert lookup(spec, ("ports", Key((("port", 80), ("protocol", "TCP"))), "name")) == "a"
    assert lookup(spec, ("ports", second)) is MISSING


def test_an_added_item_is_one_path_and_fields_in_a_declared_one_are_their_own() -> None:
    fields = in_server({"f:env": item("X", "value"), "f:image": {}, "f:tty": {}})
    fields["f:spec"]["f:template"]["f:spec"]["f:containers"] |= item("guest", "image")
    assert {text(path) for path in undeclared(fields, manifest())} == {
        f"{text(SERVER)}.env[name=X]",
        f"{text(SERVER)}.tty",
        "spec.template.spec.containers[name=guest]",
    }


def test_what_the_server_adds_is_not_drift() -> None:
    assert found_in(deployed()) == []


def test_a_changed_field_names_both_values_who_and_since() -> None:
    live = deployed(managed("kubectl-set", in_server({"f:image": {}})))
    server(live)["image"] = "b:1"
    # The server takes a field from its owner when another client changes it.
    owned = live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    del owned['k:{"name":"server"}']["f:image"]
    (drift,) = compare(manifest(), live, deployed(), {OWN})
    assert (drift.kind, drift.field) == (DriftClass.CHANGED, f"{text(SERVER)}.image")
    assert (drift.declared, drift.live) == ("a:1", "b:1")
    assert (drift.manager, drift.since) == ("kubectl-set", NOON)


def test_a_removed_item_leaves_the_others_of_its_list_alone() -> None:
    live = deployed()
    del server(live)["env"][0]
    assert found_in(live) == [("removed", f"{text(SERVER)}.env[name=A]", None)]


def test_another_order_of_a_list_is_a_change() -> None:
    live = deployed()
    server(live)["env"].reverse()
    assert found_in(live) == [("changed", f"{text(SERVER)}.env", OWN)]


def test_a_list_without_keys_differs_by_place() -> None:
    live, applied = deployed(), deployed()
    server(applied)["command"] = ["serve", "--fast"]
    server(live)["command"] = ["serve", "--slow", "--more"]
    found = compare(manifest(), live, applied, {OWN})
    assert [(d.kind.value, d.field) for d in found] == [
        ("changed", f"{text(SERVER)}.command[1]"),
        ("added", f"{text(SERVER)}.command[2]"),
    ]


def test_the_old_name_of_a_field_is_not_another_field() -> None:
    wanted = manifest()
    pod: Object = {"f:spec": {"f:template": {"f:spec": {"f:serviceAccount": {}}}}}
    live = deployed(managed("guest", pod))
    for each in (wanted, live):
        each["spec"]["template"]["spec"]["serviceAccountName"] = "m"
    live["spec"]["template"]["spec"]["serviceAccount"] = "m"
    assert compare(wanted, live, copy.deepcopy(live), {OWN}) == []


def test_added_fields_are_distinguished_from_defaults_by_their_owner() -> None:
    live = deployed(managed("kubectl-label", {"f:metadata": {"f:labels": {"f:guest": {}}}}))
    live["metadata"]["labels"]["guest"] = "yes"
    applied = copy.deepcopy(live)
    assert [(d.field, d.live) for d in compare(manifest(), live, applied, {OWN})] == [
        ("metadata.labels.guest", "yes")
    ]


@pytest.mark.parametrize(
    "writer",
    [
        managed("kube-controller-manager", {"f:metadata": {"f:labels": {"f:guest": {}}}}),
        managed("anybody", {"f:metadata": {"f:labels": {"f:guest": {}}}}, subresource="status"),
        managed("anybody", {"f:status": {"f:replicas": {}}}),
        # Shared with us, with the value that we declare.
        managed("anybody", {"f:spec": {"f:replicas": {}}}),
    ],
    ids=["controller", "subresource", "status", "shared"],
)
def test_what_only_controllers_wrote_is_not_drift(writer: Object) -> None:
    live = deployed(writer)
    live["metadata"]["labels"]["guest"] = "yes"
    assert compare(manifest(), live, copy.deepcopy(live), {OWN}) == []


def test_what_we_no_longer_declare_is_reported_once() -> None:
    live = deployed(managed("kubectl-label", {"f:metadata": {"f:labels": {"f:guest": {}}}}))
    live["metadata"]["labels"]["guest"] = "yes"
    assert found_in(live) == [("added", "metadata.labels.guest", "kubectl-label")]


def test_a_refused_object_is_compared_as_written() -> None:
    wanted, live = manifest(), deployed()
    server(wanted)["resources"] = {"limits": {"cpu": "1000m", "memory": "1Gi"}}
    # What is empty is not in the cluster.
    wanted["spec"]["template"]["spec"] |= {"tolerations": [], "nodeSelector": {}, "hostNetwork": False}
    server(wanted)["lifecycle"] = {}
    server(live)["resources"] = {"limits": {"cpu": "1", "memory": "2Gi"}}
    (drift,) = compare_refused(wanted, live, {OWN}, "field is immutable")
    assert drift.field == f"{text(SERVER)}.resources.limits.memory"
    assert drift.reason == "field is immutable"
    assert "kubectl delete deployment.apps m --namespace=ml" in remedies([drift])[0]
