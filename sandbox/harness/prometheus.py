"""A real Prometheus with the configuration the operator made."""

import gzip
import json
import re
import urllib.parse
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sandbox.harness.clone import Clone
from sandbox.harness.waiting import eventually
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running

_DURATION = re.compile(
    r"(?<=\[)(\d+)(s|m|h|d)(?=\])|(?<=for: )(\d+)(s|m|h|d)\b|(?<=interval: )(\d+)(s|m|h|d)\b"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


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


def operator_config(project: Clone, namespace: str) -> dict[str, Any]:
    """The Prometheus configuration that the operator made of our objects."""
    text = unpacked_secret(project, namespace, "prometheus-prometheus", "prometheus.yaml.gz")
    config: dict[str, Any] = yaml.safe_load(text)
    return config


def unpacked_secret(project: Clone, namespace: str, name: str, key: str) -> str:
    """A compressed value of a Secret, once the operator has written it."""
    command = ("kubectl", "get", "secret", name, f"--namespace={namespace}")
    eventually(lambda: project.run(*command, check=False).returncode == 0, 30, f"the operator writes {name}")
    data = project.get("secret", name, namespace=namespace)["data"]
    return gzip.decompress(b64decode(data[key])).decode()


def operator_rules(project: Clone, namespace: str) -> dict[str, str]:
    """The rule files that the operator made of our PrometheusRules, by name."""
    found: dict[str, str] = {}
    for item in project.get("configmaps", namespace=namespace)["items"]:
        if item["metadata"]["name"].startswith("prometheus-prometheus-rulefiles"):
            found |= item.get("data", {})
    return found


def quickened(text: str, speed: int) -> str:
    """A rule file whose every duration is `speed` times shorter; ratios and thresholds stay."""

    def shorter(match: re.Match[str]) -> str:
        number, unit = (group for group in match.groups() if group is not None)
        return f"{int(number) * _SECONDS[unit] * 1000 // speed}ms"

    return _DURATION.sub(shorter, text)
