"""Deploying N models with `pulumi up`, against kubectl and Helm with the same manifests on the same control plane.

Each tool waits until every replica is ready. kubectl is `apply` and then `rollout status`; Helm is
`upgrade --install --wait` of the manifests as a chart. Each has a namespace of its own.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers import helm
from delivery.rendering.render import render
from tests.integration.clone import Clone, models
from tests.integration.sandbox import project_of, running_sandbox

SIZES = (1, 10, 100)
_CHART = "apiVersion: v2\nname: models\nversion: 0.1.0\n"


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
        """Deploy and wait."""
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
            # The templates of alerts are Prometheus' and not Helm's.
            path.write_text(path.read_text().replace("{{", '{{ "{{" }}'))
        (chart / "Chart.yaml").write_text(_CHART)
        self.project.run(
            str(helm()), "upgrade", "--install", "--wait", "--timeout=5m", f"models-{self.size}", str(chart)
        )


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
        for peer in peers:
            prepare(peer)
            start = time.perf_counter()
            peer.deploy()
            row[peer.name] = round(time.perf_counter() - start, 2)
        fastest = min(float(str(row[name])) for name in ("kubectl", "helm"))
        row["ratio_to_fastest_peer"] = round(float(str(row["pulumi"])) / fastest, 2)
        row["processors"] = os.cpu_count() or 0
        rows.append(row)
    return rows
