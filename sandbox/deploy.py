"""Deploys stages with Pulumi and reports what runs."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.files.sources import Sources
from components.stack import load_stack
from delivery.output import print_table, say
from sandbox.cluster.backend import distrusted, lock_holder, stage_locks, trust
from sandbox.cluster.environment import explicit_kubeconfig
from sandbox.cluster.lifecycle import environment, up
from sandbox.cluster.pod_reasons import reasons_of
from sandbox.machine.paths import SandboxPaths
from sandbox.nodes.choice import Kind

UPDATE_SECONDS = 3600
INTERRUPT_SECONDS = 60
_NEXT = """\
Next:
  eval "$(.venv/bin/python -m sandbox env)"
      a shell in which pulumi and kubectl work: try `kubectl get pods -A`
  make preview
      after a change of a `version:` line: what it would do
  make down
      stops everything and removes it; the built tools stay cached
"""


def deploy(paths: SandboxPaths, stages: list[str], nodes: Kind | None = None) -> None:
    """Bring the sandbox up, deploy the stages in order, and print what runs.

    Raises:
        SettingsError: KUBECONFIG names another cluster, and a stage's files have problems.
        UserError: KUBECONFIG names another cluster and a stage does not name its context, another update runs,
            or one failed.
    """
    _require_named_contexts(paths, stages)
    up(paths, nodes)
    values = {**os.environ, **environment(paths)}
    for stage in stages:
        release_stale_lock(paths, paths.state, stage, values)
        say(f"\nDeploying {stage}", err=True)
        code = run_pulumi(
            paths,
            values,
            [
                "up",
                "--yes",
                "--skip-preview",
                "--non-interactive",
                "--suppress-permalink",
                *(["--refresh"] if distrusted(paths, stage) else []),
            ],
            stage,
        )
        if code != 0:
            for reason in _pod_reasons(paths, values, stage):
                say(f"Not ready: {reason}", err=True)
            raise UserError(
                f"{stage} was not deployed; see the lines above. The versions that ran before still serve",
                "correct the cause, then run the same command again",
            )
        trust(paths, stage)
    _report(paths, values, stages)


def _require_named_contexts(paths: SandboxPaths, stages: list[str]) -> None:
    """It deploys without asking, so the current context of a user's kubeconfig is not enough."""
    wanted = explicit_kubeconfig(paths)
    if wanted is None:
        return
    for stage in stages:
        if load_stack(Sources.of(paths.checkout), stage).settings.kube_context is None:
            raise UserError(
                f"KUBECONFIG names {wanted}, and Pulumi.{stage}.yaml names no context; nothing was changed",
                "unset KUBECONFIG to deploy to the sandbox, or write ml-deployments:kubeContext into the stack file",
            )


def run_pulumi(paths: SandboxPaths, values: dict[str, str], command: list[str], stage: str) -> int:
    """Run pulumi on a stage, with its output where this process' goes; returns its exit code."""
    with subprocess.Popen(["pulumi", *command, "--stack", stage], cwd=paths.checkout, env=values) as process:
        try:
            return process.wait(timeout=UPDATE_SECONDS)
        except KeyboardInterrupt:
            # The terminal interrupts pulumi too: it finishes the running steps, writes the state and releases its lock.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=INTERRUPT_SECONDS)
            raise
        finally:
            if process.poll() is None:
                process.kill()


def release_stale_lock(paths: SandboxPaths, state: Path, stage: str, values: dict[str, str]) -> None:
    """Cancel an update that was killed and left its lock in the file backend at `state`.

    Raises:
        UserError: the process that holds the lock still runs.
    """
    for path in stage_locks(state, stage):
        holder = lock_holder(path)
        if holder is not None:
            raise UserError(
                f"Another update of {stage} is running (process {holder})",
                "wait for it to end, then run again",
            )
        say(f"An earlier update of {stage} was killed; releasing its lock.", err=True)
        run_pulumi(paths, values, ["cancel", "--yes", "--non-interactive"], stage)


def _pod_reasons(paths: SandboxPaths, values: dict[str, str], stage: str) -> list[str]:
    """Why pods of the stage are not ready; empty where the cluster does not answer."""
    namespaces = load_stack(Sources.of(paths.checkout), stage).settings.serving_namespaces
    try:
        return reasons_of(_all(paths, values, "pods", namespaces))
    except (UserError, subprocess.TimeoutExpired):
        return []


def _report(paths: SandboxPaths, values: dict[str, str], stages: list[str]) -> None:
    rows = []
    for stage in stages:
        outputs = _json(paths, values, ["pulumi", "stack", "output", "--json", "--stack", stage])
        ready = _ready(paths, values, outputs["namespaces"])
        for model, summary in outputs["models"].items():
            count = f"{ready.get(model, 0)}/{summary['replicas']:.0f}"
            rows.append((model, stage, summary["version"], count, summary["url"]))
    print_table(("model", "stage", "version", "ready", "URL in the cluster"), rows)
    say(_NEXT)


def _ready(paths: SandboxPaths, values: dict[str, str], namespaces: Iterable[str]) -> dict[str, int]:
    items = _all(paths, values, "deployments", namespaces)
    return {item["metadata"]["name"]: item["status"].get("readyReplicas", 0) for item in items}


def _all(
    paths: SandboxPaths, values: dict[str, str], kind: str, namespaces: Iterable[str]
) -> list[dict[str, Any]]:
    commands = (["kubectl", "get", kind, f"--namespace={name}", "--output=json"] for name in namespaces)
    return [item for command in commands for item in _json(paths, values, command)["items"]]


def _json(paths: SandboxPaths, values: dict[str, str], command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        command, cwd=paths.checkout, env=values, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise UserError(
            f"`{' '.join(command)}` failed",
            "repair what it names, then run the same command again",
            said=done.stderr.strip(),
        )
    data: dict[str, Any] = json.loads(done.stdout)
    return data
