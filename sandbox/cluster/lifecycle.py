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
from sandbox.nodes.able import why_not
from sandbox.nodes.choice import Kind, choose
from sandbox.nodes.real import RealNodes
from sandbox.nodes.world import World
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools
from sandbox.tools.toolchain import KUBERNETES_PLUGIN, choose_tools, link_tools, linked_tools

# Real nodes run only what was pushed to their registry, which `up` does not do. None: real ones where it can.
UNASKED: Kind | None = Kind.SIMULATED


def up(paths: SandboxPaths, nodes: Kind | None = None) -> None:
    """Tools, control plane, nodes, Prometheus operator and Pulumi stacks; quick and harmless when all of them exist.

    Args:
        paths: The sandbox.
        nodes: Their kind; None for what it has, and for a new sandbox `UNASKED`.

    Raises:
        UserError: something could not be created.
    """
    with _locked(paths):
        wanted = explicit_kubeconfig(paths)
        _link_tools(paths, pins.STARTED if wanted is None else (pins.KUBERNETES,))
        if wanted is None:
            _start(paths, _choose(paths, nodes))
        else:
            say(f"KUBECONFIG names {wanted}: no control plane is started.", err=True)
        create_stacks(paths, environment(paths))


def tools(paths: SandboxPaths, *, everything: bool = False) -> None:
    """Only the tools: those that `up` starts, or all that the tests need.

    Raises:
        UserError: one could be neither found nor built.
    """
    with _locked(paths):
        _link_tools(paths, pins.LINKED if everything else pins.STARTED)
        if everything and not why_not(paths.nodes):
            for each in pins.REAL_NODES:
                built_tools(each)


def down(paths: SandboxPaths) -> None:
    """End every process and remove every file of the sandbox except the cache."""
    with _locked(paths):
        cluster = Cluster(paths)
        Operator(paths, cluster).down()
        if kind_of(paths) is Kind.REAL:
            RealNodes(paths).down()
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


def kind_of(paths: SandboxPaths) -> Kind | None:
    """The kind of nodes that a sandbox has; None where there is no control plane yet."""
    if paths.nodes.is_dir():
        return Kind.REAL
    return Kind.SIMULATED if paths.kwok.is_dir() else None


def cluster_of(paths: SandboxPaths) -> Cluster:
    """The control plane, in the network where the sandbox has it."""
    return Cluster(paths, World(paths) if kind_of(paths) is Kind.REAL else None)


def _choose(paths: SandboxPaths, wanted: Kind | None) -> Kind:
    present = kind_of(paths)
    kind, reasons = choose(
        wanted or (UNASKED if present is None else None), present, lambda: why_not(paths.nodes)
    )
    if reasons:
        say(f"Simulated nodes, since this machine cannot run real ones: {'; '.join(reasons)}.", err=True)
    return kind


def _start(paths: SandboxPaths, kind: Kind) -> None:
    real = RealNodes(paths) if kind is Kind.REAL else None
    cluster = Cluster(paths, None if real is None else real.world)
    if real is not None and real.prepare():
        # What runs of it is in a world that is gone.
        cluster.stop()
    state = cluster.up()
    if state == "started":
        distrust(paths)
    say(f"Control plane {state}.", err=True)
    if real is not None:
        say(f"Real nodes {real.up(cluster.kubectl, cluster.folder / 'pki')}.", err=True)
    say(f"Prometheus operator {Operator(paths, cluster).up()}.", err=True)


def _link_tools(paths: SandboxPaths, wanted: Sequence[pins.ToolSet]) -> None:
    linked = linked_tools(paths)
    names = {tool.name for tool in linked}
    there = all((paths.bin / tool.name).exists() for tool in linked if tool.path is not None)
    if not there or any(tools.tools.keys() - names for tools in wanted):
        # `up` keeps what `tools --all` added.
        sets = [tools for tools in pins.LINKED if tools in wanted or tools.tools.keys() & names]
        link_tools(choose_tools(paths, sets), paths)
