"""Deploys stages with Pulumi and reports what runs."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from components.errors import UserError
from components.files.sources import Sources
from components.stack import load_stack
from sandbox.cluster.environment import explicit_kubeconfig
from sandbox.cluster.lifecycle import environment, up
from sandbox.cluster.pod_reasons import reasons_of
from sandbox.machine.paths import SandboxPaths

UPDATE_SECONDS = 3600
INTERRUPT_SECONDS = 60
LOG_WIDTH = 140
_NEXT = """\
Next:
  eval "$(.venv/bin/python -m sandbox env)"
      a shell in which pulumi and kubectl work: try `kubectl get pods -A`
  make preview
      after a change of a `version:` line: what it would do
  make down
      stops everything and removes it; the built tools stay cached
"""


def deploy(paths: SandboxPaths, stages: list[str]) -> None:
    """Bring the sandbox up, deploy the stages in order, and print what runs.

    Raises:
        SettingsError: KUBECONFIG asks for another cluster, and a stage's files have problems.
        UserError: KUBECONFIG asks for another cluster and a stage does not name its context, another update runs,
            or one failed.
    """
    _require_named_contexts(paths, stages)
    up(paths)
    values = {**os.environ, **environment(paths)}
    for stage in stages:
        release_stale_lock(paths, paths.state, stage, values)
        typer.echo(f"\nDeploying {stage}", err=True)
        code = _pulumi(
            paths,
            values,
            [
                "up",
                "--yes",
                "--skip-preview",
                "--non-interactive",
                "--suppress-permalink",
                *_refresh(paths, stage),
            ],
            stage,
        )
        if code != 0:
            for reason in _pod_reasons(paths, values, stage):
                typer.echo(f"Not ready: {reason}", err=True)
            raise UserError(
                f"{stage} was not deployed; see the lines above. The versions that ran before still serve",
                "correct the cause, then run the same command again",
            )
        paths.outdated(stage).unlink(missing_ok=True)
    _report(paths, values, stages)


def _require_named_contexts(paths: SandboxPaths, stages: list[str]) -> None:
    """Nothing asks before it deploys, so the current context of a user's kubeconfig is not enough to go by."""
    wanted = explicit_kubeconfig(paths)
    if wanted is None:
        return
    for stage in stages:
        if load_stack(Sources.of(paths.checkout), stage).settings.kube_context is None:
            raise UserError(
                f"KUBECONFIG asks for {wanted}, and Pulumi.{stage}.yaml names no context; nothing was changed",
                "unset KUBECONFIG to deploy to the sandbox, or write ml-deployments:kubeContext into the stack file",
            )


def _refresh(paths: SandboxPaths, stage: str) -> list[str]:
    return ["--refresh"] if paths.outdated(stage).is_file() else []


def _pulumi(paths: SandboxPaths, values: dict[str, str], command: list[str], stage: str) -> int:
    with subprocess.Popen(["pulumi", *command, "--stack", stage], cwd=paths.checkout, env=values) as process:
        try:
            return process.wait(timeout=UPDATE_SECONDS)
        except KeyboardInterrupt:
            # The terminal interrupts pulumi too: it ends the steps under way, writes the state and frees its lock.
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
        holder = _holder(path)
        if holder is not None:
            raise UserError(
                f"Another update of {stage} is running (process {holder})",
                "wait for it to end, then run again",
            )
        typer.echo(f"An earlier update of {stage} was killed; releasing its lock.", err=True)
        _pulumi(paths, values, ["cancel", "--yes", "--non-interactive"], stage)


def stage_locks(state: Path, stage: str) -> list[Path]:
    """The lock files the file backend holds for a stage."""
    return sorted((state / ".pulumi" / "locks").glob(f"**/{stage}/*.json"))


def _holder(lock: Path) -> int | None:
    """The process that holds a lock; None when it ended. A lock of another machine counts as held."""
    try:
        content: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))
        pid = int(content["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if content.get("hostname") not in {None, socket.gethostname()}:
        return pid
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    return pid if b"pulumi" in command else None


def _pod_reasons(paths: SandboxPaths, values: dict[str, str], stage: str) -> list[str]:
    """Why pods of the stage are not ready; empty where the cluster does not answer."""
    namespace = load_stack(Sources.of(paths.checkout), stage).settings.namespace
    try:
        pods = _json(paths, values, ["kubectl", "get", "pods", f"--namespace={namespace}", "--output=json"])
    except (UserError, subprocess.TimeoutExpired):
        return []
    return reasons_of(pods["items"])


def _report(paths: SandboxPaths, values: dict[str, str], stages: list[str]) -> None:
    table = Table("model", "stage", "version", "ready")
    table.add_column("URL in the cluster", overflow="fold")
    for stage in stages:
        outputs = _json(paths, values, ["pulumi", "stack", "output", "--json", "--stack", stage])
        ready = _ready(paths, values, outputs["namespace"])
        for model, summary in outputs["models"].items():
            count = f"{ready.get(model, 0)}/{summary['replicas']:.0f}"
            table.add_row(model, stage, summary["version"], count, summary["url"])
    # A log has no width of its own, and a URL is there to be copied.
    console = Console() if sys.stdout.isatty() else Console(width=LOG_WIDTH)
    console.print(table)
    console.print(_NEXT, markup=False, highlight=False)


def _ready(paths: SandboxPaths, values: dict[str, str], namespace: str) -> dict[str, int]:
    command = ["kubectl", "get", "deployments", f"--namespace={namespace}", "--output=json"]
    items = _json(paths, values, command)["items"]
    return {item["metadata"]["name"]: item["status"].get("readyReplicas", 0) for item in items}


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
