"""Online reads from a feature server as the program runs it, against Feast's own `feast serve` in the same run.

Both read from one real Redis and one registry. Ours has the generated feature_store.yaml and the command of its pod,
with its metrics; the bare one has the few lines that Feast needs, and Feast's defaults. They are measured in turn, so
that other load on the machine affects both.
"""

import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3
import yaml

from components.feature_store.feast_yaml import feast_project
from components.settings.feature_store import REDIS_PASSWORD, REDIS_USER, REGISTRY_URL
from sandbox.harness.feature_store.store import PYTHON, SERVICE, Serving, Store, feature_store
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running

CALLERS = (1, 8)
ROUNDS = 3
SECONDS = 8.0
WARM_UP_SECONDS = 2.0
_BODY = json.dumps({"feature_service": SERVICE, "entities": {"product_id": ["kettle-01"]}}).encode()
_HEADERS = {"Content-Type": "application/json"}


def measure(folder: Path) -> list[dict[str, object]]:
    """Reads per second, p50 and p99 in milliseconds, of our server and of the bare one."""
    store = feature_store(folder / "store")
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
        with store.serving() as ours, bare_server(store) as bare:
            for server in (ours, bare):
                _ask(server.url, max(CALLERS), WARM_UP_SECONDS)
            return [_row(callers, ours.url, bare.url) for callers in CALLERS]


def _row(callers: int, ours: str, bare: str) -> dict[str, object]:
    times: dict[str, list[list[float]]] = {ours: [], bare: []}
    for _ in range(ROUNDS):
        for address, found in times.items():
            found.append(_ask(address, callers, SECONDS))
    rates = {
        address: statistics.median(len(each) / SECONDS for each in found) for address, found in times.items()
    }
    row: dict[str, object] = {
        "callers": callers,
        "reads_per_second": round(rates[ours]),
        "bare_reads_per_second": round(rates[bare]),
        "rate_ratio": round(rates[ours] / rates[bare], 2),
    }
    for percent in (50, 99):
        for name, address in (("", ours), ("bare_", bare)):
            quantiles = [statistics.quantiles(each, n=100)[percent - 1] for each in times[address]]
            row[f"{name}p{percent}_ms"] = round(1000 * statistics.median(quantiles), 2)
    return row


def _ask(address: str, callers: int, seconds: float) -> list[float]:
    """Read without a pause; how many seconds each read took."""
    found: list[float] = []
    end = time.monotonic() + seconds

    def read() -> None:
        with urllib3.PoolManager(maxsize=1) as pool:
            while (started := time.monotonic()) < end:
                answer = pool.request("POST", f"{address}/get-online-features", body=_BODY, headers=_HEADERS)
                assert answer.status == 200, answer.data  # noqa: PLR2004 - HTTP
                found.append(time.monotonic() - started)

    threads = [threading.Thread(target=read) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@contextmanager
def bare_server(store: Store) -> Iterator[Serving]:
    """A `feast serve` on the store's Redis and registry, with the minimal feature_store.yaml that Feast needs."""
    folder = store.folder / "bare"
    folder.mkdir()
    user, password = store.environment[REDIS_USER], store.environment[REDIS_PASSWORD]
    data = {
        "project": feast_project(store.stack.stage),
        "provider": "local",
        "registry": {"registry_type": "sql", "path": store.environment[REGISTRY_URL]},
        "online_store": {
            "type": "redis",
            "connection_string": f'127.0.0.1:{store.redis_port},username="{user}",password="{password}"',
        },
        "entity_key_serialization_version": 3,
    }
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(data))
    port = free_port()
    command: list[str | Path] = [
        PYTHON.parent / "feast",
        "--chdir",
        folder,
        "serve",
        "--host=127.0.0.1",
        f"--port={port}",
        "--no-access-log",
        # By default a worker is restarted after 1000 reads, which would be measured, too.
        "--max-requests=0",
    ]
    server = Serving(f"http://127.0.0.1:{port}", "", folder / "log")
    with running(command, f"{server.url}/health", server.log, {"HOME": str(folder)}):
        yield server
