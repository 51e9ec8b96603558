"""Real nodes: pods that run, are reached by name, and are taken down with everything that they used."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.harness.clone import Clone, copy_project, model_files, models
from sandbox.harness.sandboxes import shell_variables
from sandbox.harness.waiting import eventually, wait_for
from sandbox.machine.paths import SandboxPaths
from sandbox.machine.servers import answers
from sandbox.nodes import cgroups
from sandbox.nodes.able import why_not
from sandbox.nodes.plan import BRIDGE, NODES
from tests.integration.nodes.objects import push_server, server
from tests.integration.processes import processes

NAME, REPLICAS = "m000", 2
IMAGE = "registry.example.com/team/server:v1"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone whose sandbox has real nodes, with a server in pods."""
    folder = tmp_path_factory.mktemp("real") / "clone"
    if reasons := why_not(folder):
        pytest.skip(f"this machine cannot run real nodes: {'; '.join(reasons)}")
    plain = Clone(copy_project(folder))
    model_files(plain.path, 1)
    plain.write_stack(models(1))
    try:
        plain.python("sandbox", "up", "--nodes=real")
        clone = Clone(plain.path, shell_variables(plain.python("sandbox", "env").stdout))
        clone.run("kubectl", "create", "namespace", clone.namespace)
        push_server(registry(clone), "team/server:v1")
        objects = {"apiVersion": "v1", "kind": "List", "items": server(NAME, IMAGE, REPLICAS)}
        (folder / "server.json").write_text(json.dumps(objects))
        clone.run("kubectl", "apply", f"--namespace={clone.namespace}", "--filename=server.json")
        wait_for(lambda: clone.ready_endpoints() == REPLICAS, 120, "the pods are ready")
        yield clone
    finally:
        plain.python("sandbox", "down")


def registry(clone: Clone) -> str:
    """Where `status` says that images are pushed."""
    found = re.search(
        r"Images are pushed to (\S+)\.$", clone.python("sandbox", "status").stdout, re.MULTILINE
    )
    assert found is not None
    return found[1]


def pods(clone: Clone) -> list[dict[str, Any]]:
    """The server's pods that run and are not being deleted."""
    found: list[dict[str, Any]] = clone.get("pods", selector=f"app={NAME}")["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def answered(clone: Clone, pod: str, server: str) -> bool:
    """Whether a server answers to a process in a pod, which is started by `kubectl exec`."""
    command = ["/kubectl", server, "get", "--raw=/v2/"]
    done = clone.run("kubectl", "exec", f"--namespace={clone.namespace}", pod, "--", *command, check=False)
    return done.stdout == "{}"


def shown(clone: Clone, name: str) -> int | None:
    """The process of a component, as `status` shows it; None when it does not run."""
    found = re.search(
        rf"\b{name}\s+\S?\s*(\d+)", clone.python("sandbox", "status", check=False).stdout, re.MULTILINE
    )
    return None if found is None else int(found[1])


def component(clone: Clone, name: str) -> int:
    """The process of a component that runs."""
    pid = shown(clone, name)
    assert pid is not None, name
    return pid


def test_replicas_run_on_real_nodes_in_two_zones(real: Clone) -> None:
    nodes = real.get("nodes", selector="type!=kwok", namespace="default")["items"]
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes
    }
    assert zones == {node.name: node.zone for node in NODES}
    assert len(set(zones.values())) == 2
    placed = {pod["spec"]["nodeName"] for pod in pods(real)}
    assert len(placed) == REPLICAS
    assert placed <= zones.keys()


def test_a_pod_reaches_another_node_through_the_service_by_its_name(real: Clone) -> None:
    names = [pod["metadata"]["name"] for pod in pods(real)]
    service = f"--server=http://{NAME}.{real.namespace}.svc:8080"
    for name in names:
        wait_for(partial(answered, real, name, service), 60, "the rules of the Service are written")
    # Only the other replica can answer here.
    other = pods(real)[1]["status"]["podIP"]
    assert answered(real, names[0], f"--server=http://{other}:5000")


def test_logs_are_read_and_ports_are_forwarded(real: Clone) -> None:
    pod = pods(real)[0]["metadata"]["name"]
    where = f"--namespace={real.namespace}"
    assert "/v2/" in real.run("kubectl", "logs", where, pod, "--tail=5").stdout
    process = real.start("kubectl", "port-forward", "--address=127.0.0.1", where, f"pod/{pod}", ":5000")
    try:
        assert process.stdout is not None
        found = re.match(r"Forwarding from (127\.0\.0\.1:\d+)", process.stdout.readline())
        assert found is not None
        assert answers(f"http://{found[1]}/v2/")
    finally:
        process.kill()


def test_a_person_outside_gets_an_answer(real: Clone) -> None:
    done = real.python("sandbox", "curl", NAME, "--stage=test", "--path=/v2/")
    assert done.stdout == "{}\n"
    assert "HTTP 200" in done.stderr
    wrong = real.python("sandbox", "curl", NAME, "--stage=test", "--path=/nowhere", check=False)
    assert wrong.returncode == 1
    assert "HTTP 404" in wrong.stderr


def test_an_image_that_does_not_exist_is_named(real: Clone) -> None:
    where = f"--namespace={real.namespace}"
    real.run("kubectl", "run", "missing", where, "--image=registry.example.com/team/server:v9")

    def waits() -> bool:
        (state,) = real.get("pods", selector="run=missing")["items"][0]["status"].get(
            "containerStatuses", [{}]
        )
        waiting = state.get("state", {}).get("waiting", {})
        return waiting.get("reason") in {"ErrImagePull", "ImagePullBackOff"} and "v9" in waiting["message"]

    wait_for(waits, 60, "the pod says that its image does not exist")
    real.run("kubectl", "delete", "pod", "missing", where, "--now")


def test_the_other_kind_is_refused_with_the_way_to_it(real: Clone) -> None:
    done = real.python("sandbox", "up", "--nodes=simulated", check=False)
    assert done.returncode == 1
    assert "python -m sandbox down" in done.stderr


def test_what_was_killed_is_started_again(real: Clone) -> None:
    before = component(real, "worker-2/kubelet")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: shown(real, "worker-2/kubelet") not in {None, before}, 30, "the node starts its kubelet")
    os.kill(component(real, "registry"), signal.SIGKILL)
    os.kill(component(real, "worker-3"), signal.SIGKILL)
    assert real.python("sandbox", "status", check=False).returncode == 1
    assert "Real nodes repaired" in real.python("sandbox", "up").stderr
    assert real.python("sandbox", "status").returncode == 0
    assert "Real nodes running" in real.python("sandbox", "up").stderr


def test_the_pods_of_a_node_that_dies_run_on_another(real: Clone) -> None:
    wait_for(lambda: real.ready_endpoints() == REPLICAS, 120, "the pods are ready")
    lost = pods(real)[0]["spec"]["nodeName"]
    os.kill(component(real, lost), signal.SIGKILL)

    def elsewhere() -> bool:
        return real.ready_endpoints() == REPLICAS and lost not in {p["spec"]["nodeName"] for p in pods(real)}

    seconds = eventually(elsewhere, 180, "the lost pod runs on another node")
    # Kubernetes takes a node that is silent for lost after 50 s.
    assert seconds > 10
    assert "Real nodes repaired" in real.python("sandbox", "up").stderr


def test_what_runs_outside_the_world_listens_on_loopback_only(real: Clone) -> None:
    world = psutil.Process(component(real, "world"))
    listening = [each for each in world.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} <= {"127.0.0.1"}


def test_a_world_that_ended_comes_back_with_the_data(real: Clone) -> None:
    real.run("kubectl", "create", "configmap", "kept", "--namespace=default")
    os.kill(component(real, "world"), signal.SIGKILL)
    real.python("sandbox", "up")
    real.run("kubectl", "get", "configmap", "kept", "--namespace=default")
    wait_for(lambda: real.ready_endpoints() == REPLICAS, 120, "the pods are ready again")


def test_down_leaves_nothing(real: Clone) -> None:
    paths = SandboxPaths(checkout=real.path)
    first = [psutil.Process(component(real, node.name)) for node in NODES]
    everything = [*first, *(each for process in first for each in process.children(recursive=True))]
    assert {"containerd", "kubelet", "kube-proxy", "pause", "registry"} <= {
        each.name() for each in everything
    }
    real.python("sandbox", "down")
    assert not (real.path / ".sandbox").exists()
    assert processes(real.path) == []
    assert [each for each in everything if each.is_running()] == []
    assert str(real.path) not in Path("/proc/self/mountinfo").read_text()
    assert not any((hierarchy / cgroups.name_of(paths)).exists() for hierarchy in cgroups.hierarchies())
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert f"{BRIDGE}-" not in links
