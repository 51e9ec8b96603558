"""A real Alertmanager with the operator's configuration, and the receivers that it notifies."""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.harness.clone import Clone
from sandbox.harness.loopback import LoopbackServer, QuietHandler
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from tests.integration.monitoring.operator_made import unpacked_secret

_WAITS = re.compile(r"((?:group_wait|group_interval|repeat_interval): )(\d+)(s|m|h)\b")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Inbox(LoopbackServer):
    """Webhook receivers, one per path, that record their notifications."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        inbox = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.messages.append((self.path, body))
                self.answer()

        super().__init__(Handler)

    def received(self, path: str, status: str = "firing") -> set[str]:
        """The names of the alerts that a receiver got."""
        return {
            alert["labels"]["alertname"]
            for where, message in self.messages
            for alert in message["alerts"]
            if where == path and alert["status"] == status
        }


@contextmanager
def alertmanager(project: Clone, watch: str, binaries: Path, folder: Path, speed: int) -> Iterator[str]:
    """Run Alertmanager with the operator's configuration, its waits `speed` times shorter."""
    text = unpacked_secret(project, watch, "alertmanager-alertmanager-generated", "alertmanager.yaml.gz")
    config = folder / "alertmanager.yaml"
    config.write_text(_WAITS.sub(lambda m: f"{m[1]}{int(m[2]) * _SECONDS[m[3]] * 1000 // speed}ms", text))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        binaries / "alertmanager",
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, f"{address}/-/ready", folder / "alertmanager.log"):
        yield address


def inhibited(address: str) -> set[tuple[str, str]]:
    """Name and severity of the alerts that Alertmanager keeps to itself because of another one."""
    with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=10) as response:
        alerts = json.load(response)
    return {
        (alert["labels"]["alertname"], alert["labels"]["severity"])
        for alert in alerts
        if alert["status"]["inhibitedBy"]
    }
