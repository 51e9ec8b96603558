"""Detecting drift among N models: `delivery drift` against `pulumi refresh --preview-only` in the same run."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.deploying import SIZES
from delivery.drift.kubectl import Kubectl
from delivery.drift.looking import look
from delivery.drift.target import target
from sandbox.harness.clone import Clone, models
from sandbox.harness.sandboxes import project_of, running_sandbox

RUNS = 3


def measure(folder: Path) -> list[dict[str, object]]:
    """Seconds of each, median of three runs, and how often kubectl was run, for each size."""
    with running_sandbox(folder / "sandbox") as sandbox:
        return [_measure(sandbox, folder / str(size), size) for size in SIZES]


def _measure(sandbox: Clone, folder: Path, size: int) -> dict[str, object]:
    project = project_of(sandbox, folder, f"drift-{size}", size)
    project.write_stack(models(size))
    project.pulumi("stack", "init")
    project.up()
    drift = _median(lambda: project.python("delivery", "drift", "test"))
    refresh = _median(lambda: project.pulumi("refresh", "--preview-only"))
    wanted = target(project.path, "test")
    kubectl = Kubectl(None, project.environment)
    start = time.perf_counter()
    look(wanted, kubectl)
    looking = time.perf_counter() - start
    return {
        "models": size,
        "objects": len(wanted.manifests),
        "delivery drift": drift,
        "of it the cluster": round(looking, 2),
        "kubectl commands": len(kubectl.commands),
        "pulumi refresh": refresh,
        "ratio": round(drift / refresh, 2),
        "processors": os.cpu_count() or 0,
    }


def _median(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken), 2)
