"""All real nodes of a sandbox and what they share: started, repaired, taken down."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.errors import UserError
from sandbox.machine.paths import SandboxPaths
from sandbox.machine.processes import Component
from sandbox.nodes import cgroups
from sandbox.nodes.able import nft_folder
from sandbox.nodes.configs import kubeconfig_of
from sandbox.nodes.dns import NAME as DNS
from sandbox.nodes.dns import NAMESPACE, dns_objects
from sandbox.nodes.images import push_programs
from sandbox.nodes.node import COMPONENTS, NFTABLES, Node
from sandbox.nodes.plan import NODES, REGISTRY_PORT, WORLD_ADDRESS
from sandbox.nodes.registry import Registry
from sandbox.nodes.world import API, REGISTRY, World
from sandbox.tools import pins
from sandbox.tools.go_build import built_tools

READY_SECONDS = 120.0
_PAUSE_SECONDS = 0.25
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


class RealNodes:
    """The real nodes of one checkout's sandbox.

    Attributes:
        world: Their network, in which the control plane is too.
    """

    def __init__(self, paths: SandboxPaths) -> None:
        self._paths = paths
        self.world = World(paths)
        self.registry = Registry(self.world)
        self.nodes = [Node(paths, self.world, plan) for plan in NODES]

    def prepare(self) -> bool:
        """Build what they need, and create the world unless it is there; returns whether it is a new one.

        Raises:
            UserError: something could not be built or created.
        """
        for tools in (*pins.REAL_NODES, pins.REGISTRY):
            built_tools(tools)
        if self.world.alive():
            return False
        # What ran in a world whose holder ended has no way out of it.
        self._stop()
        self.world.up({API: "127.0.0.1:{port}", REGISTRY: f"{WORLD_ADDRESS}:{REGISTRY_PORT}"})
        return True

    def up(self, kubectl: Kubectl, keys: Path) -> str:
        """Start the nodes of a control plane that is up, or those that do not run; returns what was done.

        Args:
            kubectl: Runs kubectl on it.
            keys: The folder with `ca.crt`, `admin.crt` and `admin.key`.

        Raises:
            UserError: one does not become ready.
        """
        running = [node for node in self.nodes if node.complete()]
        started = self.registry.up()
        if started:
            push_programs(self.registry.host)
        ready = _ready(kubectl)
        broken = [node for node in self.nodes if node not in running or node.plan.name not in ready]
        authority, certificate, key = (
            (keys / name).read_bytes() for name in ("ca.crt", "admin.crt", "admin.key")
        )
        server = f"https://{WORLD_ADDRESS}:{self.world.port(API)}"
        for node in broken:
            node.up(kubeconfig_of(server, authority, certificate, key), authority, _tools())
        # The scheduler spreads CoreDNS over the nodes that are there.
        self._wait(lambda: self._late(kubectl))
        self._apply(kubectl)
        self._wait(lambda: [] if _dns_ready(kubectl) else ["CoreDNS"])
        if len(broken) == len(self.nodes):
            return "started"
        return "repaired" if broken or started else "running"

    def components(self) -> list[Component]:
        """The processes: the world, the registry, and those of each node."""
        shared = [
            Component(name="world", pid=self.world.pid),
            Component(name="registry", pid=self.registry.daemon.pid),
        ]
        for node in self.nodes:
            running = node.processes()
            shared.append(Component(name=node.plan.name, pid=node.pid))
            shared += [
                Component(name=f"{node.plan.name}/{name}", pid=running.get(name)) for name in COMPONENTS
            ]
        return shared

    def down(self) -> None:
        """End everything, and remove what would outlive it."""
        self._stop()
        self.world.down()
        cgroups.remove(cgroups.name_of(self._paths))

    def entered(self) -> list[str]:
        """The start of a command that runs in the network of a node.

        Raises:
            UserError: no node runs.
        """
        for node in self.nodes:
            if node.pid is not None:
                return ["nsenter", f"--net=/proc/{node.pid}/ns/net", "--"]
        raise UserError("No node runs", "run `python -m sandbox up`")

    def ready(self, kubectl: Kubectl) -> bool:
        """True when every process runs, and every node and CoreDNS are ready."""
        # The cluster takes a node that died for ready until it misses its reports.
        runs = self.world.alive() and all(component.pid is not None for component in self.components())
        return runs and not self._late(kubectl) and _dns_ready(kubectl)

    def _stop(self) -> None:
        for node in self.nodes:
            node.down()
        self.registry.daemon.stop()

    def _apply(self, kubectl: Kubectl) -> None:
        objects = self._paths.nodes / "dns.json"
        objects.write_text(json.dumps(dns_objects()), encoding="utf-8")
        done = kubectl("apply", "--server-side", "--force-conflicts", f"--filename={objects}", timeout=60)
        if done.returncode != 0:
            raise UserError(
                "CoreDNS could not be applied", "run `python -m sandbox up` again", said=done.stderr.strip()
            )

    def _late(self, kubectl: Kubectl) -> list[str]:
        return sorted({node.plan.name for node in self.nodes} - _ready(kubectl))

    def _wait(self, late: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while names := late():
            if time.monotonic() > deadline:
                raise UserError(
                    f"Not ready within {READY_SECONDS:.0f} s: {', '.join(names)}",
                    f"see the logs in {self._paths.nodes}/NODE/logs, then run `python -m sandbox up` again",
                )
            time.sleep(_PAUSE_SECONDS)


def _dns_ready(kubectl: Kubectl) -> bool:
    """True when a replica of CoreDNS is ready."""
    done = kubectl("get", "deployment", DNS, f"--namespace={NAMESPACE}", "--output=json")
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    replicas: int = found.get("status", {}).get("readyReplicas", 0)
    return replicas > 0


def _tools() -> dict[str, Path]:
    found = {tools.name: built_tools(tools) for tools in (pins.KUBELET, pins.CONTAINERD, pins.RUNC)}
    nft = nft_folder()
    return found if nft is None else {**found, NFTABLES: nft}


def _ready(kubectl: Kubectl) -> set[str]:
    """The nodes that report that they are ready."""
    done = kubectl("get", "nodes", "--output=json")
    items = json.loads(done.stdout)["items"] if done.returncode == 0 else []
    return {
        node["metadata"]["name"]
        for node in items
        if any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in node["status"].get("conditions", ())
        )
    }
