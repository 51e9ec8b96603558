"""The Prometheus operator next to the sandbox's control plane."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sandbox.harness.clone import Clone, copy_project, model_files
from sandbox.harness.waiting import wait_for
from sandbox.tools.go_build import operator_crds
from tests.integration.monitoring.operator_made import unpacked_secret
from tests.integration.processes import LOOPBACK, listening, processes

PID = ".sandbox/prometheus-operator.pid"
NAMESPACE = "monitored"
PROMETHEUS = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "Prometheus",
    "metadata": {"name": "main", "namespace": NAMESPACE},
    "spec": {"replicas": 2, "serviceMonitorSelector": {}},
}


@pytest.fixture
def monitored(sandbox: Clone) -> Iterator[Clone]:
    """The sandbox with a namespace that is removed at the end."""
    clone = Clone(sandbox.path, sandbox.environment, NAMESPACE)
    clone.run("kubectl", "create", "namespace", NAMESPACE)
    yield clone
    clone.run("kubectl", "delete", "namespace", NAMESPACE)


def operator_pid(clone: Clone) -> int:
    return int((clone.path / PID).read_text())


def apply(clone: Clone, content: Mapping[str, object]) -> None:
    path = clone.path / "object.json"
    path.write_text(json.dumps(content))
    clone.run("kubectl", "apply", "--filename", str(path))


def ready(clone: Clone, name: str) -> int:
    sets = {item["metadata"]["name"]: item["status"] for item in clone.get("statefulsets")["items"]}
    count: int = sets.get(name, {}).get("readyReplicas", 0)
    return count


def configuration(clone: Clone) -> str:
    """The configuration that the operator generates for its Prometheus."""
    return unpacked_secret(clone, NAMESPACE, "prometheus-main", "prometheus.yaml.gz")


def test_the_api_server_knows_every_kind_of_the_operator(sandbox: Clone) -> None:
    served = sandbox.run("kubectl", "get", "crds", "--output=name").stdout.split()
    files = [path.stem for path in operator_crds().iterdir()]
    assert len(files) >= 10
    for file in files:
        group, _, plural = file.partition("_")
        assert f"customresourcedefinition.apiextensions.k8s.io/{plural}.{group}" in served


def test_the_operator_listens_on_loopback_only(sandbox: Clone) -> None:
    assert listening(str(operator_pid(sandbox))) == [LOOPBACK]


def test_a_prometheus_becomes_a_stateful_set_with_its_configuration(monitored: Clone) -> None:
    apply(monitored, PROMETHEUS)
    wait_for(lambda: ready(monitored, "prometheus-main") == 2)
    assert "global:" in configuration(monitored)


def test_an_operator_that_was_killed_is_repaired(monitored: Clone) -> None:
    before = operator_pid(monitored)
    os.kill(before, signal.SIGKILL)
    assert monitored.python("sandbox", "status", check=False).returncode == 1
    assert "Prometheus operator repaired" in monitored.python("sandbox", "up").stderr
    assert operator_pid(monitored) != before
    assert monitored.python("sandbox", "status").returncode == 0
    assert "Prometheus operator running" in monitored.python("sandbox", "up").stderr
    apply(monitored, PROMETHEUS)
    wait_for(lambda: ready(monitored, "prometheus-main") == 2)


def test_down_leaves_no_operator_also_after_a_new_control_plane(tmp_path: Path) -> None:
    clone = Clone(copy_project(tmp_path / "clone"))
    model_files(clone.path, 1)
    clone.write_stack('    m000: {version: "v1", replicas: 1}\n')
    try:
        clone.python("sandbox", "up", "--nodes=simulated")
        first = operator_pid(clone)
        for path in (clone.path / ".sandbox/cluster/clusters/sandbox/pids").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.read_text()), signal.SIGKILL)
        (clone.path / ".sandbox/cluster/clusters/sandbox/kwok.yaml").unlink()
        done = clone.python("sandbox", "up").stderr
        assert "Control plane started" in done
        assert "Prometheus operator started" in done
        assert operator_pid(clone) != first
        assert len([command for command in processes(clone.path) if "prometheus-operator" in command]) == 1
    finally:
        clone.python("sandbox", "down")
    assert processes(clone.path) == []
