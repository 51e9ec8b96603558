"""A real Prometheus."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.machine.processes import free_port
from sandbox.machine.servers import running


class Prometheus:
    """A running Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address

    def api(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of its HTTP API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}?{query}", timeout=30) as response:
            return json.load(response)["data"]

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query."""
        moment = {} if at is None else {"time": f"{at:.3f}"}
        found: list[dict[str, Any]] = self.api("query", query=expression, **moment)["result"]
        return found

    def value(self, expression: str, at: float | None = None) -> float:
        """The one value of an instant query."""
        (sample,) = self.query(expression, at)
        return float(sample["value"][1])

    def alert_state(self, name: str, **labels: str) -> str:
        """The furthest state of an alert: `firing`, `pending` or `inactive`."""
        states = {
            alert["state"]
            for alert in self.api("alerts")["alerts"]
            if {"alertname": name, **labels}.items() <= alert["labels"].items()
        }
        return next((state for state in ("firing", "pending") if state in states), "inactive")


@contextmanager
def prometheus(binary: Path, config: Path, folder: Path, retention: str = "35d") -> Iterator[Prometheus]:
    """Run Prometheus with a configuration; its samples are in `folder`/data for the time of `retention`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.retention.time={retention}",
    ]
    with running(command, f"{address}/-/ready", folder / "prometheus.log"):
        yield Prometheus(address)
