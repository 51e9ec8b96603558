"""Objects of the cluster that no commit declares."""

from delivery.drift.extras import extra
from delivery.drift.report import remedies
from delivery.identity import identity
from tests.unit.drifted import NOON, OWN, config_map


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
