"""The world: one network namespace with a bridge, in which the control plane and the nodes are.

Nothing outside reaches it but through its forwarder, the process that holds it: that listens on the machine's
loopback, and connects in the world.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack

from components.errors import UserError
from sandbox.machine.paths import SandboxPaths
from sandbox.machine.processes import command_line
from sandbox.nodes.daemon import Daemon
from sandbox.nodes.plan import BRIDGE, NODES, WORLD_ADDRESS

# What of it can be reached from outside.
API = "api"
REGISTRY = "registry"
_SECONDS = 30


class World:
    """The network namespace of one checkout's sandbox.

    Attributes:
        folder: The files of all that is in it.
    """

    def __init__(self, paths: SandboxPaths) -> None:
        self.folder = paths.nodes
        self._checkout = paths.checkout
        self._daemon = Daemon("world", self.folder)
        self._ports_file = self.folder / "ports.json"
        self._wired = self.folder / "wired"

    @property
    def pid(self) -> int | None:
        """The process that holds it; None when there is no world."""
        return self._daemon.pid

    def alive(self) -> bool:
        """True when it is there with its bridge: an `up` that was killed may have left it without."""
        return self.pid is not None and self._wired.is_file() and self._wired.read_text() == str(self.pid)

    def port(self, name: str) -> int:
        """The port of the machine's loopback that leads to a part of the world, free when it was first asked for."""
        return self._ports()[name]

    def up(self, targets: Mapping[str, str]) -> None:
        """Create it.

        Args:
            targets: What can be reached from outside: a name, and HOST:PORT in the world; `{port}` is the port outside.

        Raises:
            UserError: its ports are taken, or it could not be created.
        """
        self._daemon.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self._ports()
        with ExitStack() as stack:
            sockets = {name: stack.enter_context(_listening(known.get(name, 0))) for name in targets}
            ports = {name: each.getsockname()[1] for name, each in sockets.items()}
            self._ports_file.write_text(json.dumps(ports), encoding="utf-8")
            forwards = [
                f"{sockets[name].fileno()}={target.format(port=ports[name])}"
                for name, target in targets.items()
            ]
            process = self._daemon.start(
                [
                    "unshare",
                    "--net",
                    "--",
                    sys.executable,
                    "-m",
                    "sandbox.nodes.forwarder",
                    self.folder,
                    *forwards,
                ],
                sockets=[each.fileno() for each in sockets.values()],
                folder=self._checkout,
            )
        # Before that it is still in the machine's own network.
        self._daemon.wait(process, lambda: command_line(process.pid).startswith(f"{sys.executable}\0"))
        self._wire()

    def down(self) -> None:
        """End what holds it; it is gone when nothing runs in it."""
        self._daemon.stop()

    def entered(self) -> list[str]:
        """The start of a command that runs in it.

        Raises:
            UserError: there is no world.
        """
        pid = self.pid
        if pid is None:
            raise UserError("The network of the real nodes is gone", "run `python -m sandbox up`")
        return ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]

    def run(self, *command: str) -> None:
        """Run a command in it.

        Raises:
            UserError: it failed.
        """
        run([*self.entered(), *command])

    def _wire(self) -> None:
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", "name", BRIDGE, "type", "bridge")
        self.run("ip", "address", "add", f"{WORLD_ADDRESS}/24", "dev", BRIDGE)
        self.run("ip", "link", "set", BRIDGE, "up")
        for node in NODES:
            self.run("ip", "route", "add", node.pods, "via", node.address)
        self._wired.write_text(str(self.pid), encoding="utf-8")

    def _ports(self) -> dict[str, int]:
        if not self._ports_file.is_file():
            return {}
        ports: dict[str, int] = json.loads(self._ports_file.read_text(encoding="utf-8"))
        return ports


def run(command: list[str]) -> None:
    """Run a command that sets up a network.

    Raises:
        UserError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise UserError(
            f"`{' '.join(command)}` failed",
            "run `python -m sandbox down`, then `up` again; `up --nodes simulated` needs no network of its own",
            said=done.stderr.strip(),
        )


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UserError(
            f"Port {port} of the sandbox is taken by another process: {error.strerror}",
            "end that process, or run `python -m sandbox down` and then `up` again",
        ) from None
