"""Deploying N models with `pulumi up`, against kubectl and Helm with the same manifests on the same control plane.

Each tool waits until every replica is ready. kubectl is `apply` and then `rollout status`; Helm is
`upgrade --install --wait` of the manifests as a chart. Each has its own namespace. For a peer that refuses the work,
the table has its message instead of seconds: Helm stores the whole chart in one Secret, and a stage of many models with
their rules does not fit.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.peers import helm
from delivery.rendering.render import render
from sandbox.harness.clone import Clone, models
from sandbox.harness.sandboxes import project_of, running_sandbox

SIZES = (1, 10, 100)
_CHART = "apiVersion: v2\nname: models\nversion: 0.1.0\n"


class RefusedError(Exception):
    """A peer cannot do the work; the message is its own."""


class Peer:
    """One tool and its project."""

    def __init__(self, name: str, sandbox: Clone, folder: Path, size: int) -> None:
        self.name, self.size, self.manifests = name, size, folder / "manifests"
        self.project = project_of(sandbox, folder, f"bench-{name}-{size}", size)
        self.write("v1", "v1")

    def write(self, version: str, first: str) -> None:
        """Set the versions: of all models, and of the first one."""
        text = models(self.size, version).replace(f'"{version}"', f'"{first}"', 1)
        self.project.write_stack(text)
        if self.name != "pulumi":
            render(self.project.path, "test", self.manifests)

    def deploy(self) -> None:
        """Deploy and wait.

        Raises:
            RefusedError: the tool cannot do it.
        """
        {"pulumi": self._pulumi, "kubectl": self._kubectl, "helm": self._helm}[self.name]()

    def _pulumi(self) -> None:
        self.project.up()

    def _kubectl(self) -> None:
        namespace = self.project.namespace
        self.project.run("kubectl", "apply", f"--filename={self.manifests / f'1-namespace-{namespace}.yaml'}")
        self.project.run("kubectl", "apply", f"--filename={self.manifests}")
        selector = "--selector=app.kubernetes.io/part-of=ml-deployments"
        self.project.run("kubectl", "rollout", "status", "deployment", selector, f"--namespace={namespace}")

    def _helm(self) -> None:
        chart = self.manifests.parent / "chart"
        shutil.rmtree(chart, ignore_errors=True)
        shutil.copytree(self.manifests, chart / "templates")
        for path in (chart / "templates").iterdir():
            # The templates of alerts are for Prometheus, not for Helm.
            path.write_text(path.read_text().replace("{{", '{{ "{{" }}'))
        (chart / "Chart.yaml").write_text(_CHART)
        command = ("upgrade", "--install", "--wait", "--timeout=4m", f"models-{self.size}", str(chart))
        done = self.project.run(str(helm()), *command, check=False)
        if done.returncode != 0:
            raise RefusedError(done.stderr.strip().splitlines()[-1].removeprefix("Error: "))


def measure(folder: Path) -> list[dict[str, object]]:
    """Seconds of each tool for each size: from nothing, with no change, and with one model's version changed."""
    helm()
    with running_sandbox(folder / "sandbox") as sandbox:
        return [row for size in SIZES for row in _measure(sandbox, folder / str(size), size)]


def _measure(sandbox: Clone, folder: Path, size: int) -> list[dict[str, object]]:
    peers = [Peer(name, sandbox, folder / name, size) for name in ("pulumi", "kubectl", "helm")]
    peers[0].project.pulumi("stack", "init")
    steps: dict[str, Callable[[Peer], None]] = {
        "from nothing": lambda peer: peer.write("v1", "v1"),
        "no change": lambda peer: peer.write("v1", "v1"),
        "one version": lambda peer: peer.write("v1", "v2"),
    }
    rows = []
    for step, prepare in steps.items():
        row: dict[str, object] = {"models": size, "step": step}
        taken: dict[str, float] = {}
        refused: dict[str, str] = {}
        for peer in peers:
            prepare(peer)
            start = time.perf_counter()
            try:
                peer.deploy()
                taken[peer.name] = time.perf_counter() - start
            except RefusedError as error:
                refused[peer.name] = str(error)
        row |= {peer.name: _shown(peer.name, taken, refused) for peer in peers}
        fastest = min(seconds for name, seconds in taken.items() if name != peers[0].name)
        row["ratio_to_fastest_peer"] = round(taken[peers[0].name] / fastest, 2)
        row["processors"] = os.cpu_count() or 0
        rows.append(row)
    return rows


def _shown(name: str, taken: Mapping[str, float], refused: Mapping[str, str]) -> float | str:
    return round(taken[name], 2) if name in taken else f"cannot: {refused[name]}"
