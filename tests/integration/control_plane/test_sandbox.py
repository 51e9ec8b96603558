"""The sandbox's life cycle, and the main command on it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from sandbox.harness.clone import Clone, copy_project, model_files
from tests.integration.processes import LOOPBACK, listening, processes

PIDS = ".sandbox/cluster/clusters/sandbox/pids"


def test_everything_listens_on_loopback(sandbox: Clone) -> None:
    pids = {path.read_text() for path in (sandbox.path / PIDS).iterdir()}
    addresses = [address for pid in pids for address in listening(pid)]
    assert len(addresses) >= 6
    assert set(addresses) == {LOOPBACK}


def test_up_again_is_harmless_also_twice_at_once(sandbox: Clone) -> None:
    before = {path.name: path.read_text() for path in (sandbox.path / PIDS).iterdir()}
    both = [sandbox.start(sys.executable, "-m", "sandbox", "up") for _ in range(2)]
    for process in both:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert {path.name: path.read_text() for path in (sandbox.path / PIDS).iterdir()} == before


def test_a_crashed_control_plane_is_repaired_with_its_data(sandbox: Clone) -> None:
    sandbox.run("kubectl", "create", "configmap", "kept", "--namespace=default")
    for name in ("etcd", "kube-apiserver"):
        os.kill(int((sandbox.path / PIDS / f"{name}.pid").read_text()), signal.SIGKILL)
    assert sandbox.python("sandbox", "status", check=False).returncode == 1
    assert "repaired" in sandbox.python("sandbox", "up").stderr
    assert sandbox.python("sandbox", "status").returncode == 0
    sandbox.run("kubectl", "get", "configmap", "kept", "--namespace=default")


def test_an_explicit_kubeconfig_is_left_alone(sandbox: Clone, tmp_path: Path) -> None:
    mine = str(tmp_path / "mine")
    shown = sandbox.python("sandbox", "env", KUBECONFIG=mine).stdout
    assert f"export KUBECONFIG={mine}" in shown
    done = sandbox.python("sandbox", "up", KUBECONFIG=mine)
    assert "no control plane is started" in done.stderr


def test_from_nothing_to_deployed_and_back(tmp_path: Path) -> None:
    clone = Clone(copy_project(tmp_path / "clone"))
    model_files(clone.path, 1)
    clone.write_stack('    m000: {version: "v1", replicas: 2}\n')
    before = (clone.path / "Pulumi.test.yaml").read_bytes()
    try:
        assert clone.python("sandbox", "env", check=False).returncode == 1
        done = clone.python("sandbox", "deploy", "--nodes=simulated")
        assert "2/2" in done.stdout
        assert "http://m000.ml-clone.svc:8080" in done.stdout
        assert "19 unchanged" in clone.python("sandbox", "deploy").stdout
        assert (clone.path / "Pulumi.test.yaml").read_bytes() == before
        assert clone.python("sandbox", "deploy", "nowhere", check=False).returncode == 2
        assert processes(clone.path)
    finally:
        clone.python("sandbox", "down")
    assert not (clone.path / ".sandbox").exists()
    assert processes(clone.path) == []


def test_preview_and_kubectl_work_in_a_sandbox_shell(sandbox: Clone) -> None:
    script = (
        'eval "$(.venv/bin/python -m sandbox env)" && eval "$(python -m sandbox env)"'
        " && kubectl get nodes && pulumi preview --stack test --non-interactive && echo $PATH"
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=sandbox.path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path = done.stdout.splitlines()[-1].split(":")
    assert path.count(str(sandbox.path / ".sandbox" / "bin")) == 1
