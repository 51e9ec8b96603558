"""The pure parts of the Kubernetes plugin's stand-in."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.stand_ins.kubernetes_provider.api import Api
from sandbox.stand_ins.kubernetes_provider.awaits import pod_reasons, verdict
from sandbox.stand_ins.kubernetes_provider.changes import changes, declared, needs_replacement
from sandbox.stand_ins.kubernetes_provider.errors import ProviderError
from sandbox.stand_ins.kubernetes_provider.kubeconfig import Connection, connection
from sandbox.stand_ins.kubernetes_provider.structs import from_struct, to_struct


def test_changes_name_the_path_of_each_difference() -> None:
    old = {"a": {"b": [{"image": "x:1"}], "gone": 1}, "labels": {"app.kubernetes.io/version": "1"}}
    new = {"a": {"b": [{"image": "x:2"}, {}]}, "labels": {"app.kubernetes.io/version": "2"}, "new": True}
    assert list(changes(old, new)) == [
        ("a.b[0].image", "update"),
        ("a.b[1]", "add"),
        ("a.gone", "delete"),
        ('labels["app.kubernetes.io/version"]', "update"),
        ("new", "add"),
    ]
    assert list(changes(new, new)) == []


def test_only_identity_and_immutable_fields_need_a_replacement() -> None:
    assert needs_replacement("Deployment", "metadata.namespace")
    assert needs_replacement("Deployment", "spec.selector.matchLabels.app")
    assert not needs_replacement("Deployment", "spec.template.spec.containers[0].image")
    assert not needs_replacement("Service", "spec.selector.app")


def test_server_defaults_and_status_are_no_drift() -> None:
    wanted = {
        "spec": {
            "replicas": 3,
            "env": [],
            "delay": 0,
            "containers": [{"name": "a", "cpu": "1"}],
            "ports": [{"port": 80}],
        }
    }
    live: dict[str, Any] = {
        "spec": {
            "replicas": 3,
            "defaulted": 1,
            "containers": [{"name": "side"}, {"name": "a", "cpu": "1000m", "x": 1}],
            "ports": [{"port": 80, "protocol": "TCP"}],
        },
        "status": {},
    }
    assert declared(wanted, live) == wanted
    live["spec"]["replicas"] = 1
    live["spec"]["ports"].append({"port": 81})
    assert list(changes(wanted, declared(wanted, live))) == [
        ("spec.ports[1]", "add"),
        ("spec.replicas", "update"),
    ]


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, **status},
    }


READY = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (READY, "ready"),
        ({**READY, "observedGeneration": 1}, "waiting"),
        ({**READY, "updatedReplicas": 1}, "waiting"),
        ({**READY, "replicas": 3}, "waiting"),
        ({"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}, "failed"),
    ],
)
def test_a_rollout_is_judged_as_kubectl_does(status: dict[str, Any], expected: str) -> None:
    assert verdict(deployment(**status)) == expected


def test_the_pods_reasons_are_named() -> None:
    pod = {
        "metadata": {"name": "p"},
        "status": {
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
            ],
            "containerStatuses": [
                {
                    "name": "server",
                    "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}},
                },
                {"name": "fine", "state": {"waiting": {"reason": "ContainerCreating"}}},
            ],
        },
    }
    assert pod_reasons(pod) == [
        "pod p: Unschedulable: 0/3 nodes",
        "pod p: container server waiting: ImagePullBackOff: no such tag",
    ]


def test_structs_keep_whole_numbers_whole() -> None:
    data = {"a": 1, "b": 1.5, "c": [True, None, "x"], "d": {"e": 80}}
    assert from_struct(to_struct(data)) == data
    assert isinstance(from_struct(to_struct(data))["a"], int)


def kubeconfig(folder: Path, server: str) -> str:
    path = folder / "kubeconfig"
    path.write_text(
        "current-context: one\ncontexts:\n- {name: one, context: {cluster: c, user: u}}\n"
        f"clusters:\n- {{name: c, cluster: {{server: '{server}'}}}}\nusers:\n- {{name: u, user: {{}}}}\n"
    )
    return str(path)


def test_an_unknown_context_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"no context 'two'; it has: one"):
        connection(kubeconfig(tmp_path, "https://127.0.0.1:1"), "two")
    with pytest.raises(ProviderError, match="no kubeconfig at"):
        connection(str(tmp_path / "missing"), None)


def test_every_cluster_but_the_sandbox_is_refused(tmp_path: Path) -> None:
    found: Connection = connection(kubeconfig(tmp_path, "https://prod.example.com"), None)
    with pytest.raises(ProviderError, match="is not the local sandbox"):
        Api(found).require_sandbox()
