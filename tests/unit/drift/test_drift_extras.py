"""Objects in the cluster that no commit declares."""

from pathlib import Path
from typing import Any, cast

from components.kubernetes import naming
from delivery.drift.extras import extra
from delivery.drift.healing import heal
from delivery.drift.kubectl import Kubectl, ServedKind
from delivery.drift.looking import look
from delivery.drift.report import remedies
from delivery.drift.target import target
from delivery.identity import identity
from tests.support.drifted import NOON, OWN, Object, config_map
from tests.support.projects import project

LABEL = {"ml-deployments/stage": "test"}


class Cluster:
    """Answers as kubectl does for a cluster with all declared objects and `more`; `deleted` is what was deleted."""

    def __init__(self, more: list[Object]) -> None:
        self.more, self.deleted = more, list[str]()

    def kinds(self) -> list[ServedKind]:
        return [
            ServedKind(
                resource="namespaces",
                api_version="v1",
                kind="Namespace",
                namespaced=False,
                verbs=frozenset({"list"}),
            )
        ]

    def get(self, wanted: list[Object]) -> list[Object]:
        return [m | {"metadata": {**m["metadata"], "managedFields": []}} for m in wanted]

    def would_apply(self, wanted: list[Object], _: str) -> tuple[list[Object], dict[Any, str]]:
        return self.get(wanted), {}

    def all_of(self, _: object, where: str) -> tuple[list[Object], list[str]]:
        return (self.more if where.startswith("--namespace") else []), []

    def apply(self, *_: object) -> str:
        return ""

    def delete(self, objects: list[Object]) -> str:
        self.deleted += [found["metadata"]["name"] for found in objects]
        return ""


def test_what_is_kept_on_purpose_is_noted_and_neither_drift_nor_healed(tmp_path: Path) -> None:
    kept = config_map("data", OWN, labels=LABEL, annotations={naming.KEEP: "true"})
    not_kept = config_map("orphan", OWN, labels=LABEL, annotations={naming.KEEP: "false"})
    cluster = Cluster([kept, not_kept])
    kubectl, wanted = cast(Kubectl, cluster), target(project(tmp_path), "test", work_tree=True)
    found = look(wanted, kubectl)
    assert [d.object.name for d in found.drift if d.kind == "extra"] == ["orphan"]
    (note,) = [line for line in found.notes if "kept on purpose" in line]
    assert note.startswith("ConfigMap ml/data ")
    assert "online.redis.deleteData: true" in note
    heal(wanted, kubectl, found)
    assert cluster.deleted == ["orphan"]


def test_what_holds_data_is_reported_and_never_removed() -> None:
    claim = config_map("data-0", OWN, labels=LABEL) | {"kind": "PersistentVolumeClaim"}
    found = extra([claim, config_map("orphan", OWN, labels=LABEL)], set(), "test")
    assert {drift.object.kind: drift.removable for drift in found} == {
        "ConfigMap": True,
        "PersistentVolumeClaim": False,
    }
    (remedy,) = [line for line in remedies(found) if "data-0" in line]
    assert "is never deleted: it holds data" in remedy
    assert "which deletes the data" in remedy


def test_extra_objects_have_no_commit_owner_or_controller() -> None:
    live = [
        config_map("declared", OWN, labels=LABEL),
        config_map("orphan", OWN, labels=LABEL),
        config_map("of-another-stage", "kubectl-create", labels={"ml-deployments/stage": "other"}),
        config_map("empty"),
        config_map("kube-root-ca.crt", "kube-controller-manager"),
        config_map("owned", "anybody", ownerReferences=[{"kind": "Prometheus"}]),
        config_map("going", OWN, labels=LABEL, deletionTimestamp=NOON),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "ml"}},
    ]
    found = extra(live, {identity(live[0])}, "test")
    assert [(d.object.name, d.labelled) for d in found] == [
        ("empty", False),
        ("of-another-stage", False),
        ("orphan", True),
    ]
    assert len(remedies(found)) == 2


def test_the_rights_of_a_controllers_account_are_not_extra() -> None:
    def deployers(
        kind: str, subject: str = "ml-deployments-test", role: str = "ml-deployments-test-deployer"
    ) -> Object:
        return {
            **config_map("ml-deployments-test-deployer", "kubectl"),
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": kind,
            "roleRef": {"kind": "Role", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": subject, "namespace": "argocd"}],
        }

    def found(live: Object) -> bool:
        return bool(extra([live], (), "test"))

    assert not found(deployers("Role"))
    assert not found(deployers("RoleBinding"))
    assert found(deployers("RoleBinding", subject="default"))
    assert found(deployers("RoleBinding", role="admin"))
    assert extra([deployers("Role")], (), "other")
