"""The first process of a node, in PID, mount and network namespaces of its own: when it ends, all of the node ends.

`python -m sandbox.nodes.init FOLDER`: FOLDER/node.json says what runs. It waits for a line on standard input, gives the
node a root of its own, and starts what ended again, as systemd does on a machine. It needs only the standard library,
and imports it before the root changes.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
_RESTART_SECONDS = 1.0
_SOCKET_SECONDS = 60.0


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _enter_root(folder: Path, binds: dict[str, str]) -> None:
    """The machine's programs read-only, the node's own /etc and /var, and nothing else of the machine's files."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
    for name in _SYSTEM:
        source, target = Path("/") / name, root / name
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir()
            _mount("--bind", source, target)
            _mount("-o", "remount,bind,ro", target)
    own: dict[str, str | Path] = {"/etc": folder / "etc", "/var": folder / "var", **binds}
    for place, own_source in own.items():
        target = root / place.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        _mount("--bind", own_source, target)
    for name in ("proc", "sys", "dev", "run", "tmp", "old"):
        (root / name).mkdir()
    _mount("-t", "proc", "proc", root / "proc")
    for name in ("sys", "dev"):
        _mount("--rbind", f"/{name}", root / name)
    for name in ("run", "tmp"):
        _mount("-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=755", "tmpfs", root / name)
    subprocess.run(["pivot_root", root, root / "old"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/old"], check=True)
    # A volume that a container mounts is seen by the kubelet, as on a machine with systemd.
    _mount("--make-rshared", "/")


class _Components:
    """What runs on the node, by its PID."""

    def __init__(self, components: dict[str, dict[str, Any]], logs: Path) -> None:
        self._wanted = components
        # Opened here: the folder is not in the node's root.
        self._logs = {name: (logs / f"{name}.log").open("ab") for name in components}
        self._running: dict[int, str] = {}

    def start_all(self) -> None:
        for name, wanted in self._wanted.items():
            self._start(name)
            if socket := wanted.get("socket"):
                deadline = time.monotonic() + _SOCKET_SECONDS
                while not Path(socket).exists() and time.monotonic() < deadline:
                    time.sleep(0.02)

    def keep(self) -> None:
        """Reap every process that ends, and start a component again."""
        while True:
            with contextlib.suppress(ChildProcessError):
                pid, _ = os.wait()
                name = self._running.pop(pid, None)
                if name is not None:
                    time.sleep(_RESTART_SECONDS)
                    self._start(name)

    def _start(self, name: str) -> None:
        wanted = self._wanted[name]
        process = subprocess.Popen(
            wanted["command"],
            env=wanted["environment"],
            stdin=subprocess.DEVNULL,
            stdout=self._logs[name],
            stderr=self._logs[name],
            start_new_session=True,
        )
        # Reaped by `keep`; without this the object would warn.
        process.returncode = 0
        self._running[process.pid] = name


def main(folder: Path) -> None:
    """Run the node until it is ended."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if not sys.stdin.readline():
        return
    plan = json.loads((folder / "node.json").read_text(encoding="utf-8"))
    components = _Components(plan["components"], folder / "logs")
    _enter_root(folder, plan["binds"])
    components.start_all()
    components.keep()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
