"""Drift of one object, without a cluster: who owns which field, what differs, what is ignored and how it is healed."""

import copy
from typing import Any

import pytest

from components.drift_settings import IgnoreRule
from delivery.drift.comparing import Drift, DriftClass, compare, compare_refused
from delivery.drift.extras import extra
from delivery.drift.fields import MISSING, Key, Path, element, lookup, text, undeclared
from delivery.drift.healing import VERSION_LABEL, keeping, refuse_other_release, without
from delivery.drift.identity import identity
from delivery.drift.ignoring import idle, matches
from delivery.drift.looking import Findings
from delivery.drift.report import entry, remedies, row
from delivery.errors import DeliveryError

OWN = "ml-deployments-test"
NOON = "2026-01-01T12:00:00Z"
CONTAINERS: Path = ("spec", "template", "spec", "containers")
SERVER: Path = (*CONTAINERS, Key((("name", "server"),)))
Object = dict[str, Any]


def manifest() -> Object:
    server = {
        "name": "server",
        "image": "a:1",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m", "namespace": "ml", "labels": {"team": "a"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [server]}}},
    }


def managed(manager: str, fields: Object, **more: str) -> Object:
    return {"manager": manager, "operation": "Update", "time": NOON, "fieldsV1": fields, **more}


def item(name: str, *fields: str) -> Object:
    return {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, **{f"f:{field}": {} for field in fields}}}


def in_server(fields: Object) -> Object:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': fields}}}}}


def ours() -> Object:
    env = {"f:env": {**item("A", "value"), **item("B", "value")}}
    fields = in_server({".": {}, "f:name": {}, "f:image": {}, **env})
    fields["f:metadata"] = {"f:labels": {"f:team": {}}}
    fields["f:spec"]["f:replicas"] = {}
    return managed(OWN, fields, operation="Apply")


def deployed(*others: Object) -> Object:
    """The manifest in the cluster, with what the server adds, and other managers' entries."""
    found = manifest()
    found["metadata"] |= {"uid": "1", "resourceVersion": "7", "managedFields": [ours(), *others]}
    found["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    found["status"] = {"replicas": 2}
    return found


def server(found: Object) -> Object:
    container: Object = found["spec"]["template"]["spec"]["containers"][0]
    return container


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


def test_what_the_server_adds_is_no_drift() -> None:
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


def test_added_fields_are_told_from_defaults_by_their_owner() -> None:
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
        # Owned together with us, with the value we declare.
        managed("anybody", {"f:spec": {"f:replicas": {}}}),
    ],
    ids=["controller", "subresource", "status", "shared"],
)
def test_what_controllers_and_nobody_else_wrote_is_no_drift(writer: Object) -> None:
    live = deployed(writer)
    live["metadata"]["labels"]["guest"] = "yes"
    assert compare(manifest(), live, copy.deepcopy(live), {OWN}) == []


def test_what_we_no_longer_declare_is_told_once() -> None:
    live = deployed(managed("kubectl-label", {"f:metadata": {"f:labels": {"f:guest": {}}}}))
    live["metadata"]["labels"]["guest"] = "yes"
    assert found_in(live) == [("added", "metadata.labels.guest", "kubectl-label")]


def test_a_refused_object_is_compared_as_written() -> None:
    wanted, live = manifest(), deployed()
    server(wanted)["resources"] = {"limits": {"cpu": "1000m", "memory": "1Gi"}}
    server(live)["resources"] = {"limits": {"cpu": "1", "memory": "2Gi"}}
    (drift,) = compare_refused(wanted, live, {OWN}, "field is immutable")
    assert drift.field == f"{text(SERVER)}.resources.limits.memory"
    assert drift.reason == "field is immutable"
    assert "kubectl delete deployment.apps m --namespace=ml" in remedies([drift])[0]


def test_the_value_of_a_secret_variable_is_not_shown() -> None:
    variables = (*SERVER, "env")
    for name, shown in (("DB_PASSWORD", False), ("TOKENIZER", True)):
        drift = Drift(
            object=identity(manifest()),
            kind=DriftClass.ADDED,
            path=(*variables, Key((("name", name),))),
            live={"name": name, "value": "hidden"},
        )
        assert ("hidden" in f"{entry(drift)}{row(drift)}") is shown


def change(path: Path = ("spec", "replicas"), manager: str = "kubectl") -> Drift:
    return Drift(
        object=identity(manifest()), kind=DriftClass.CHANGED, path=path, declared=2, live=1, manager=manager
    )


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        ({"kind": "Deployment"}, True),
        ({"kind": "Deploy"}, False),
        ({"kind": "*", "name": "m"}, True),
        ({"kind": "Deployment", "name": "other"}, False),
        ({"kind": "Deployment", "field": "spec.replicas"}, True),
        ({"kind": "Deployment", "field": "spec"}, True),
        ({"kind": "Deployment", "field": "spec.rep"}, False),
        ({"kind": "Deployment", "field": "spec.*as"}, True),
        ({"kind": "Deployment", "manager": "kubectl"}, True),
        ({"kind": "Deployment", "manager": "keda*"}, False),
    ],
)
def test_ignore_rules(rule: dict[str, str], matched: bool) -> None:
    assert matches(IgnoreRule(**rule), change()) is matched
    assert len(idle([change()], [IgnoreRule(**rule)])) == (not matched)


def test_an_ignore_rule_takes_brackets_as_they_are_printed() -> None:
    drift = change((*SERVER, "image"))
    for field, matched in (
        (text(SERVER), True),
        (f"{text(CONTAINERS)}[name=*].image", True),
        ("[name]", False),
    ):
        assert matches(IgnoreRule(kind="Deployment", field=field), drift) is matched


def test_a_rule_with_a_field_ignores_no_deleted_object() -> None:
    deleted = Drift(object=identity(manifest()), kind=DriftClass.DELETED)
    assert not matches(IgnoreRule(kind="Deployment", field="spec"), deleted)
    assert matches(IgnoreRule(kind="Deployment"), deleted)


def config_map(name: str, *managers: str, **metadata: object) -> Object:
    fields = [managed(manager, {"f:data": {}}) for manager in managers]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "ml", "managedFields": fields, **metadata},
    }


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

    with pytest.raises(DeliveryError, match="runs v2, and the commit says v1"):
        refuse_other_release(found(VERSION_LABEL))
    refuse_other_release(found(("metadata", "labels", "app.kubernetes.io/name")))


def test_what_holds_data_is_told_and_never_removed() -> None:
    label = {"ml-deployments/stage": "test"}
    claim = config_map("data-0", OWN, labels=label) | {"kind": "PersistentVolumeClaim"}
    found = extra([claim, config_map("orphan", OWN, labels=label)], set(), "test")
    assert {drift.object.kind: drift.removable for drift in found} == {
        "ConfigMap": True,
        "PersistentVolumeClaim": False,
    }
    (remedy,) = [line for line in remedies(found) if "data-0" in line]
    assert "is not ours to delete: it holds data" in remedy


def test_extra_objects_are_what_no_commit_owner_or_controller_made() -> None:
    label = {"ml-deployments/stage": "test"}
    live = [
        config_map("declared", OWN, labels=label),
        config_map("orphan", OWN, labels=label),
        config_map("of-another-stage", "kubectl-create", labels={"ml-deployments/stage": "other"}),
        config_map("empty"),
        config_map("kube-root-ca.crt", "kube-controller-manager"),
        config_map("owned", "anybody", ownerReferences=[{"kind": "Prometheus"}]),
        config_map("going", OWN, labels=label, deletionTimestamp=NOON),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "ml"}},
    ]
    found = extra(live, {identity(live[0])}, "test")
    assert [(d.object.name, d.labelled) for d in found] == [
        ("empty", False),
        ("of-another-stage", False),
        ("orphan", True),
    ]
    assert len(remedies(found)) == 2


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


def test_the_entry_of_the_json_answer() -> None:
    assert entry(change()) == {
        "kind": "Deployment",
        "namespace": "ml",
        "name": "m",
        "class": "changed",
        "field": "spec.replicas",
        "declared": 2,
        "live": 1,
        "manager": "kubectl",
        "since": None,
        "labelled": False,
        "reason": None,
    }


def test_long_values_are_shortened_in_the_table_alone() -> None:
    drift = Drift(object=identity(manifest()), kind=DriftClass.CHANGED, path=("data", "x"), live="a\n" * 500)
    assert len(row(drift)[4]) < 60
    assert entry(drift)["live"] == "a\n" * 500
