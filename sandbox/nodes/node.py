"""One node: its namespaces, its link to the world, and what runs in it."""

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from components.errors import UserError
from sandbox.machine.paths import SandboxPaths
from sandbox.nodes import cgroups
from sandbox.nodes.configs import CONTAINERD_SOCKET, KUBECONFIG, etc_files
from sandbox.nodes.daemon import Daemon
from sandbox.nodes.plan import BRIDGE, NODES, VOLUMES, WORLD_ADDRESS, NodePlan
from sandbox.nodes.world import World, run
from sandbox.tools.debian_packages import libraries

_START_SECONDS = 20.0
NFTABLES = "nftables"
_PATH = f"/opt/kubelet:/opt/containerd:/opt/runc:/opt/{NFTABLES}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
COMPONENTS = ("containerd", "kubelet", "kube-proxy")


class Node:
    """A node of one checkout's sandbox.

    Attributes:
        plan: Its name and addresses.
    """

    def __init__(self, paths: SandboxPaths, world: World, plan: NodePlan) -> None:
        self.plan = plan
        self._world, self._checkout = world, paths.checkout
        self._folder = world.folder / plan.name
        self._volumes = paths.nodes / "volumes"
        self._cgroup = f"{cgroups.name_of(paths)}/{plan.name}"
        self._daemon = Daemon("init", self._folder)

    @property
    def pid(self) -> int | None:
        """Its first process; ending it is like pulling the plug."""
        return self._daemon.pid

    def processes(self) -> dict[str, int]:
        """The processes of its components that run, by name."""
        pid = self.pid
        found: dict[str, int] = {}
        if pid is not None:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(pid).children():
                    with contextlib.suppress(psutil.Error):
                        if child.name() in COMPONENTS:
                            found[child.name()] = child.pid
        return found

    def up(self, kubeconfig: str, authority: bytes, tools: Mapping[str, Path]) -> None:
        """Start it, without waiting until it is ready; what an earlier start left is removed first.

        Args:
            kubeconfig: What its kubelet and kube-proxy reach the API server with.
            authority: The certificate that signs clients of the kubelet, in PEM.
            tools: Folders of programs that it finds below /opt, by name.

        Raises:
            UserError: it could not be started.
        """
        self.down()
        cgroups.create(self._cgroup)
        self._volumes.mkdir(exist_ok=True)
        for name in ("logs", "var/lib", "var/log", "etc"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        files = etc_files(self.plan, kubeconfig, f"/{self._cgroup}")
        for name, content in {**files, "kubernetes/ca.crt": authority.decode()}.items():
            target = self._folder / "etc" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        binds = {f"/opt/{name}": str(folder) for name, folder in tools.items()}
        binds[VOLUMES] = str(self._volumes)
        plan = {"binds": binds, "components": _components(self.plan, _library_path(tools))}
        (self._folder / "node.json").write_text(json.dumps(plan), encoding="utf-8")
        self._start()

    def down(self) -> None:
        """End all that runs on it, and remove its cgroups. Its files stay."""
        self._daemon.stop()
        cgroups.remove(self._cgroup)

    def forget(self) -> None:
        """Remove its files, as those of a machine that was replaced."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def complete(self) -> bool:
        """True when all of its components run."""
        return len(self.processes()) == len(COMPONENTS)

    def _start(self) -> None:
        namespaces = ["--net", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--uts"]
        process = self._daemon.start(
            ["unshare", *namespaces, "--", sys.executable, "-m", "sandbox.nodes.init", self._folder],
            folder=self._checkout,
        )
        first = _child(process.pid)
        if first is None:
            raise UserError(
                f"The node {self.plan.name} did not start",
                f"see {self._daemon.log}, then run `python -m sandbox up` again",
            )
        self._daemon.record(first)
        self._connect(first)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()

    def _connect(self, first: int) -> None:
        link, world = self.plan.link, self._world
        inside = ["nsenter", f"--net=/proc/{first}/ns/net", "--"]
        # A link of an earlier start ends with its namespace, which may be later than its processes.
        world.run("sh", "-c", f"! ip link show dev {link} > /dev/null 2>&1 || ip link delete dev {link}")
        world.run(
            "ip", "link", "add", "name", link, "type", "veth", "peer", "name", "eth0", "netns", str(first)
        )
        world.run("ip", "link", "set", link, "master", BRIDGE, "up")
        run([*inside, "ip", "link", "set", "lo", "up"])
        run([*inside, "ip", "address", "add", f"{self.plan.address}/24", "dev", "eth0"])
        run([*inside, "ip", "link", "set", "eth0", "up"])
        run([*inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
        # It leads nowhere; without one, a process of the node could not send to a Service's address.
        run([*inside, "ip", "route", "add", "default", "via", WORLD_ADDRESS])
        for other in NODES:
            if other != self.plan:
                run([*inside, "ip", "route", "add", other.pods, "via", other.address])


def _child(pid: int) -> int | None:
    """The process that a process started; None when it ended instead."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            children = psutil.Process(pid).children()
        except psutil.Error:
            return None
        # It is only known by its command once it has replaced the copy of unshare.
        if children and "init" in " ".join(children[0].cmdline()) and "unshare" not in children[0].name():
            return children[0].pid
        time.sleep(0.01)
    return None


def _library_path(tools: Mapping[str, Path]) -> str:
    """Where nft, if it is among the tools, finds its libraries in the node's root."""
    folder = tools.get(NFTABLES)
    if folder is None:
        return ""
    return ":".join(f"/opt/{NFTABLES}/{each.relative_to(folder)}" for each in libraries(folder))


def _components(node: NodePlan, library_path: str) -> dict[str, dict[str, object]]:
    environment = {"PATH": _PATH, "HOME": "/root"}
    kubelet = [
        "kubelet",
        "--config=/etc/kubernetes/kubelet.yaml",
        f"--kubeconfig={KUBECONFIG}",
        f"--node-ip={node.address}",
        f"--hostname-override={node.name}",
        f"--node-labels=topology.kubernetes.io/zone={node.zone}",
    ]
    return {
        "containerd": {
            "command": ["containerd", "--config=/etc/containerd/config.toml"],
            "environment": environment,
            "socket": CONTAINERD_SOCKET,
        },
        "kubelet": {"command": kubelet, "environment": environment},
        "kube-proxy": {
            "command": ["kube-proxy", "--config=/etc/kubernetes/kube-proxy.yaml"],
            "environment": {**environment, "LD_LIBRARY_PATH": library_path},
        },
    }
