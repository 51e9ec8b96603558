"""Brings the sandbox up and takes it down."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager

import typer

from components.errors import UserError
from components.files.sources import Sources
from sandbox.cluster.control_plane import Cluster
from sandbox.cluster.environment import explicit_kubeconfig, sandbox_environment
from sandbox.cluster.operator import Operator
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import pins
from sandbox.tools.toolchain import KUBERNETES_PLUGIN, choose_tools, link_tools, linked_tools


def up(paths: SandboxPaths) -> None:
    """Tools, control plane, Prometheus operator and Pulumi stacks; quick and harmless when all are there.

    Raises:
        UserError: something could not be made.
    """
    with _locked(paths):
        wanted = explicit_kubeconfig(paths)
        _link_tools(paths, pins.STARTED if wanted is None else (pins.KUBERNETES,))
        if wanted is None:
            _start(paths)
        else:
            typer.echo(f"KUBECONFIG asks for {wanted}: no control plane is started.", err=True)
        _create_stacks(paths)


def tools(paths: SandboxPaths, *, everything: bool = False) -> None:
    """The tools alone: those that `up` starts, or everything, which the tests need.

    Raises:
        UserError: one could be neither found nor made.
    """
    with _locked(paths):
        _link_tools(paths, pins.SETS if everything else pins.STARTED)


def down(paths: SandboxPaths) -> None:
    """End every process and remove every file of the sandbox but the cache."""
    with _locked(paths):
        cluster = Cluster(paths)
        Operator(paths, cluster).down()
        cluster.down()
        shutil.rmtree(paths.root, ignore_errors=True)
        paths.lock.unlink(missing_ok=True)


def environment(paths: SandboxPaths) -> dict[str, str]:
    """What a sandbox shell sets.

    Raises:
        UserError: the sandbox is not up.
    """
    linked = linked_tools(paths)
    own = explicit_kubeconfig(paths) is None
    if not linked or (own and any(component.pid is None for component in Cluster(paths).components())):
        raise UserError("The sandbox is not up", "run `python -m sandbox up` first")
    built = any(tool.name == KUBERNETES_PLUGIN and tool.origin == "built" for tool in linked)
    return sandbox_environment(paths, downloads=not built)


def _locked(paths: SandboxPaths) -> AbstractContextManager[None]:
    return locked(paths.lock, "another command works on this sandbox")


def _start(paths: SandboxPaths) -> None:
    cluster = Cluster(paths)
    state = cluster.up()
    if state == "started":
        _distrust_state(paths)
    typer.echo(f"Control plane {state}.", err=True)
    typer.echo(f"Prometheus operator {Operator(paths, cluster).up()}.", err=True)


def _link_tools(paths: SandboxPaths, wanted: Sequence[pins.ToolSet]) -> None:
    linked = linked_tools(paths)
    names = {tool.name for tool in linked}
    there = all((paths.bin / tool.name).exists() for tool in linked if tool.path is not None)
    if not there or any(tools.tools.keys() - names for tools in wanted):
        # `up` leaves what `tools --all` has brought.
        sets = [tools for tools in pins.SETS if tools in wanted or tools.tools.keys() & names]
        link_tools(choose_tools(paths, sets), paths)


def _distrust_state(paths: SandboxPaths) -> None:
    """A new control plane is empty, whatever the recorded state says: the next deployment looks first.

    The state is kept, since it may describe a cluster that KUBECONFIG named.
    """
    for path in (paths.state / ".pulumi" / "stacks").glob("*/*.json"):
        paths.outdated(path.stem).parent.mkdir(exist_ok=True)
        paths.outdated(path.stem).touch()


def _stop_logging(paths: SandboxPaths) -> None:
    """Make the CLI go without the log that it otherwise writes of every run, at the finest level, compressed.

    With 100 models that log takes more than half of the CLI's time, and no setting turns it off. The CLI goes without
    where it cannot make the log's folder.
    """
    logs = paths.pulumi_home / "logs"
    logs.parent.mkdir(parents=True, exist_ok=True)
    if logs.is_dir():
        shutil.rmtree(logs)
    logs.touch()


def _create_stacks(paths: SandboxPaths) -> None:
    """Plain `pulumi preview -s <stage>` needs the stack to be known to the backend."""
    paths.state.mkdir(parents=True, exist_ok=True)
    _stop_logging(paths)
    values = {**os.environ, **environment(paths)}
    if values["PULUMI_BACKEND_URL"] != paths.state.as_uri():
        return
    for stage in Sources.of(paths.checkout).stages:
        if any((paths.state / ".pulumi" / "stacks").glob(f"*/{stage}.json")):
            continue
        done = subprocess.run(
            ["pulumi", "stack", "init", stage, "--non-interactive"],
            cwd=paths.checkout,
            env=values,
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
