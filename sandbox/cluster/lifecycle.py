"""Starts and removes the sandbox."""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager

from components.errors import UserError
from delivery.output import say
from sandbox.cluster.backend import create_stacks, distrust
from sandbox.cluster.control_plane import Cluster
from sandbox.cluster.environment import explicit_kubeconfig, sandbox_environment
from sandbox.cluster.operator import Operator
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import pins
from sandbox.tools.toolchain import KUBERNETES_PLUGIN, choose_tools, link_tools, linked_tools


def up(paths: SandboxPaths) -> None:
    """Tools, control plane, Prometheus operator and Pulumi stacks; quick and harmless when all of them exist.

    Raises:
        UserError: something could not be created.
    """
    with _locked(paths):
        wanted = explicit_kubeconfig(paths)
        _link_tools(paths, pins.STARTED if wanted is None else (pins.KUBERNETES,))
        if wanted is None:
            _start(paths)
        else:
            say(f"KUBECONFIG names {wanted}: no control plane is started.", err=True)
        create_stacks(paths, environment(paths))


def tools(paths: SandboxPaths, *, everything: bool = False) -> None:
    """Only the tools: those that `up` starts, or all that the tests need.

    Raises:
        UserError: one could be neither found nor built.
    """
    with _locked(paths):
        _link_tools(paths, pins.SETS if everything else pins.STARTED)


def down(paths: SandboxPaths) -> None:
    """End every process and remove every file of the sandbox except the cache."""
    with _locked(paths):
        cluster = Cluster(paths)
        Operator(paths, cluster).down()
        cluster.down()
        shutil.rmtree(paths.root, ignore_errors=True)
        paths.lock.unlink(missing_ok=True)


def environment(paths: SandboxPaths) -> dict[str, str]:
    """The variables of a sandbox shell.

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
        distrust(paths)
    say(f"Control plane {state}.", err=True)
    say(f"Prometheus operator {Operator(paths, cluster).up()}.", err=True)


def _link_tools(paths: SandboxPaths, wanted: Sequence[pins.ToolSet]) -> None:
    linked = linked_tools(paths)
    names = {tool.name for tool in linked}
    there = all((paths.bin / tool.name).exists() for tool in linked if tool.path is not None)
    if not there or any(tools.tools.keys() - names for tools in wanted):
        # `up` keeps what `tools --all` added.
        sets = [tools for tools in pins.SETS if tools in wanted or tools.tools.keys() & names]
        link_tools(choose_tools(paths, sets), paths)
