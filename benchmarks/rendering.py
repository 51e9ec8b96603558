"""Rendering N models, and the program against a bare Pulumi program that registers the same objects.

The bare program has no settings, no checks and no components: its objects are literals. Both programs run in the same
recorder, each in a separate process, in turn. Rendering runs no program. Measured is the whole process, with its start.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import one_run
from benchmarks.one_run import REGISTER, RENDER
from delivery.rendering.render import manifests
from sandbox.harness.clone import CHECKOUT, Clone, copy_project, model_files, models

SIZES = (1, 10, 100, 1000)
RUNS = {1: 7, 10: 7, 100: 5, 1000: 3}
_BARE_PROGRAM = """\
import pulumi
import pulumi_kubernetes as k8s

COUNT = {count}
NAMESPACE = {namespace!r}
CLASSES = {{
    "ConfigMap": k8s.core.v1.ConfigMap,
    "Deployment": k8s.apps.v1.Deployment,
    "NetworkPolicy": k8s.networking.v1.NetworkPolicy,
    "PodDisruptionBudget": k8s.policy.v1.PodDisruptionBudget,
    "Service": k8s.core.v1.Service,
    "ServiceAccount": k8s.core.v1.ServiceAccount,
}}


def named(value, name):
    if isinstance(value, dict):
        return {{key: named(item, name) for key, item in value.items()}}
    if isinstance(value, list):
        return [named(item, name) for item in value]
    return value.replace("m000", name) if isinstance(value, str) else value


OBJECTS = {objects!r}
provider = k8s.Provider("kubernetes")
k8s.core.v1.Namespace(NAMESPACE, metadata={{"name": NAMESPACE}}, opts=pulumi.ResourceOptions(provider=provider))
for number in range(COUNT):
    name = f"m{{number:03}}"
    for manifest in OBJECTS:
        fields = {{key: value for key, value in named(manifest, name).items() if key not in ("apiVersion", "kind")}}
        if "automountServiceAccountToken" in fields:
            fields["automount_service_account_token"] = fields.pop("automountServiceAccountToken")
        own = manifest["metadata"]["name"].replace("m000", name)
        CLASSES[manifest["kind"]](own, **fields, opts=pulumi.ResourceOptions(provider=provider))
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Median seconds of processor time, and median peak memory of the process in MiB."""

    seconds: float
    memory: float


def measure(folder: Path) -> list[dict[str, float]]:
    """Rendering, our program and the bare one for each size, with the ratios of the two programs."""
    rows = []
    for size in SIZES:
        ours, bare = _projects(folder / str(size), size)
        runs: dict[tuple[str, Path], list[dict[str, float]]] = {
            (RENDER, ours): [],
            (REGISTER, ours): [],
            (REGISTER, bare): [],
        }
        for _ in range(RUNS[size]):
            for (what, project), kept in runs.items():
                kept.append(_sample(what, project))
        rendering, a, b = (_median(samples) for samples in runs.values())
        rows.append(
            {
                "models": size,
                "rendering_seconds": round(rendering.seconds, 3),
                "ours_seconds": round(a.seconds, 3),
                "bare_seconds": round(b.seconds, 3),
                "time_ratio": round(a.seconds / b.seconds, 2),
                "ours_mib": round(a.memory, 1),
                "bare_mib": round(b.memory, 1),
                "memory_ratio": round(a.memory / b.memory, 2),
            }
        )
    return rows


def _projects(folder: Path, size: int) -> tuple[Path, Path]:
    ours = Clone(copy_project(folder / "ours"))
    model_files(ours.path, size)
    ours.write_stack(models(size, replicas=2))
    first = [m for m in manifests(ours.path, "test") if m["metadata"]["name"].startswith("m000")]
    bare = folder / "bare"
    bare.mkdir()
    (bare / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": {}}))
    program = _BARE_PROGRAM.format(count=size, namespace=ours.namespace, objects=first)
    (bare / "__main__.py").write_text(program)
    return ours.path, bare


def _sample(what: str, project: Path) -> dict[str, float]:
    done = subprocess.run(
        # The project's own packages come first, as where a user runs it.
        [sys.executable, "-P", one_run.__file__, what, str(project)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}{os.pathsep}{CHECKOUT}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    data: dict[str, float] = json.loads(done.stdout)
    return data


def _median(samples: list[dict[str, float]]) -> Measured:
    return Measured(
        seconds=statistics.median(sample["seconds"] for sample in samples),
        memory=statistics.median(sample["memory"] for sample in samples),
    )
