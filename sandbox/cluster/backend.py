"""Pulumi's state of the sandbox, in files: its stacks, its locks, and whether it still matches the cluster."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.files.sources import Sources
from sandbox.machine.paths import SandboxPaths
from sandbox.machine.processes import command_line


def create_stacks(paths: SandboxPaths, variables: Mapping[str, str]) -> None:
    """Create the stack of each stage in the backend: plain `pulumi preview -s <stage>` needs it.

    Args:
        paths: The sandbox.
        variables: The variables of a sandbox shell.

    Raises:
        UserError: Pulumi refuses one.
    """
    paths.state.mkdir(parents=True, exist_ok=True)
    stop_logging(paths)
    if variables["PULUMI_BACKEND_URL"] != paths.state.as_uri():
        return
    for stage in Sources.of(paths.checkout).stages:
        if any((paths.state / ".pulumi" / "stacks").glob(f"*/{stage}.json")):
            continue
        done = subprocess.run(
            ["pulumi", "stack", "init", stage, "--non-interactive"],
            cwd=paths.checkout,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0 and "already exists" not in done.stderr:
            raise UserError(
                f"The stack {stage} could not be created",
                "repair what Pulumi names, then run `python -m sandbox up` again",
                said=done.stderr.strip(),
            )


def stop_logging(paths: SandboxPaths) -> None:
    """Prevent the compressed log at the most detailed level that the CLI otherwise writes of every run.

    With 100 models that log takes more than half of the CLI's time, and no setting turns it off. The CLI writes none
    where it cannot create the log's folder.
    """
    logs = paths.pulumi_home / "logs"
    logs.parent.mkdir(parents=True, exist_ok=True)
    if logs.is_dir():
        shutil.rmtree(logs)
    logs.touch()


def distrust(paths: SandboxPaths) -> None:
    """A new control plane is empty, whatever the recorded state says: the next deployment refreshes first.

    The state is kept, since it may describe a cluster that KUBECONFIG named.
    """
    for path in (paths.state / ".pulumi" / "stacks").glob("*/*.json"):
        _outdated(paths, path.stem).parent.mkdir(exist_ok=True)
        _outdated(paths, path.stem).touch()


def distrusted(paths: SandboxPaths, stage: str) -> bool:
    """True when a stage's recorded state may be older than the cluster."""
    return _outdated(paths, stage).is_file()


def trust(paths: SandboxPaths, stage: str) -> None:
    """Record that a stage's state is up to date with the cluster."""
    _outdated(paths, stage).unlink(missing_ok=True)


def stage_locks(state: Path, stage: str) -> list[Path]:
    """The lock files that the file backend at `state` holds for a stage."""
    return sorted((state / ".pulumi" / "locks").glob(f"**/{stage}/*.json"))


def lock_holder(lock: Path) -> int | None:
    """The process that holds a lock; None when it has ended. A lock of another machine counts as held."""
    try:
        content: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))
        pid = int(content["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if content.get("hostname") not in {None, socket.gethostname()}:
        return pid
    return pid if "pulumi" in command_line(pid) else None


def _outdated(paths: SandboxPaths, stage: str) -> Path:
    return paths.root / "outdated" / stage
