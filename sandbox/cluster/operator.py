"""The Prometheus operator, a process next to the control plane, and its CRDs in the API server."""

import http.client
import re
import subprocess
import time
from pathlib import Path

import yaml

from components.errors import UserError
from delivery.output import say
from sandbox.cluster.control_plane import Cluster
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths, cache
from sandbox.machine.processes import Component, command_line, end, free_port, recorded

NAME = "prometheus-operator"
START_SECONDS = 60.0
APPLY_SECONDS = 120
ANSWER_SECONDS = 5.0
_TAIL_LINES = 10
_LISTEN = "--web.listen-address=127.0.0.1:"


class Operator:
    """The Prometheus operator of one checkout's sandbox."""

    def __init__(self, paths: SandboxPaths, cluster: Cluster) -> None:
        self._binary = paths.bin / NAME
        self._kubeconfig = paths.kubeconfig
        # Not in the control plane's folder: a new one removes the folder, and the process must still be found.
        self._pid_file = paths.root / f"{NAME}.pid"
        self._cluster = cluster
        self._applied = cluster.folder / "operator-crds"
        self._log = cluster.folder / "logs" / f"{NAME}.log"

    def up(self) -> str:
        """Start it on a control plane that is up, or repair it; returns what was done.

        Raises:
            UserError: its CRDs are refused, or it does not start.
        """
        if not self._knows_crds():
            # It searches for its CRDs once, when it starts.
            self.down()
            self._apply_crds()
            done = "started"
        elif self.healthy():
            return "running"
        else:
            say(f"{NAME} is not healthy; restarting it.", err=True)
            self.down()
            done = "repaired"
        # Another sandbox that starts could take the port before the operator listens on it.
        with locked(cache() / "locks" / "ports", "another sandbox is starting"):
            self._start()
        return done

    def down(self) -> None:
        """End its process."""
        pid = self._pid()
        if pid is not None:
            end([pid], self._mark)
        self._pid_file.unlink(missing_ok=True)

    def component(self) -> Component:
        """Its process."""
        return Component(name=NAME, pid=self._pid())

    def healthy(self) -> bool:
        """True when it runs and answers."""
        pid = self._pid()
        match = None if pid is None else re.search(rf"{re.escape(_LISTEN)}(\d+)", command_line(pid))
        return match is not None and _answers(int(match[1]))

    @property
    def _mark(self) -> str:
        """A mark that only its command line contains: the path of its certificate, after another argument."""
        return f"\0--cert-file={self._pki('admin.crt')}\0"

    def _pid(self) -> int | None:
        return recorded(self._pid_file, self._mark)

    def _pki(self, name: str) -> Path:
        return self._cluster.folder / "pki" / name

    @property
    def _crds(self) -> Path:
        """The CRDs of the running build: they are next to it."""
        return self._binary.resolve().parent / "crds"

    def _knows_crds(self) -> bool:
        """True when the CRDs were applied since the control plane was last started or repaired."""
        try:
            newer = self._applied.stat().st_mtime_ns >= self._cluster.furnished.stat().st_mtime_ns
            return newer and self._applied.read_text(encoding="utf-8") == str(self._crds)
        except FileNotFoundError:
            return False

    def _apply_crds(self) -> None:
        names = self._kubectl(
            "apply", "--server-side", "--force-conflicts", "--output=name", f"--filename={self._crds}"
        )
        self._kubectl("wait", "--for=condition=Established", "--timeout=60s", *names.split())
        self._applied.write_text(str(self._crds), encoding="utf-8")

    def _kubectl(self, *arguments: str) -> str:
        done = self._cluster.kubectl(*arguments, timeout=APPLY_SECONDS)
        if done.returncode != 0:
            raise UserError(
                f"The control plane runs, but does not accept the CRDs of {NAME}",
                "run `python -m sandbox up` again",
                said=done.stderr.strip(),
            )
        return done.stdout

    def _start(self) -> None:
        port = free_port()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [
                    self._binary,
                    f"--apiserver={self._server()}",
                    f"--ca-file={self._pki('ca.crt')}",
                    f"--cert-file={self._pki('admin.crt')}",
                    f"--key-file={self._pki('admin.key')}",
                    f"{_LISTEN}{port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid), encoding="utf-8")
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                self.down()
                raise self._not_started()
            time.sleep(0.05)

    def _server(self) -> str:
        kubeconfig = yaml.safe_load(self._kubeconfig.read_text(encoding="utf-8"))
        return str(kubeconfig["clusters"][0]["cluster"]["server"])

    def _not_started(self) -> UserError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return UserError(
            f"{NAME} did not start",
            f"see {self._log}, then run `python -m sandbox up` again",
            said="\n".join(f"  {line}" for line in lines),
        )


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
