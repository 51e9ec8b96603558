"""The alerts on the store's Redis: a real one, the exporter of the image that is deployed, and a real Prometheus."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.feature_store.feast_yaml import feast_project
from components.feature_store.names import REDIS, SERVER
from components.feature_store.redis_users import WRITER
from components.settings.feature_store import REDIS_PASSWORD, REDIS_USER, FeatureAlertName
from components.settings.images import RedisExporterImage
from sandbox.harness.clone import Clone
from sandbox.harness.feature_store.store import Store, feature_store
from sandbox.harness.prometheus import Prometheus
from sandbox.harness.waiting import eventually
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools.go_build import built_tools
from sandbox.tools.pins import REDIS_EXPORTER as EXPORTER_TOOLS
from sandbox.tools.pins import tool_version
from tests.integration.feature_store.watching import watched

SECONDS = 180


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return feature_store(tmp_path / "store")


@contextmanager
def exporter(store: Store) -> Iterator[str]:
    """The exporter, with the variables of its container; yields its host and port."""
    target = f"127.0.0.1:{free_port()}"
    command: list[str | Path] = [
        built_tools(EXPORTER_TOOLS) / "redis_exporter",
        f"-web.listen-address={target}",
    ]
    environment = {
        "REDIS_ADDR": f"redis://localhost:{store.redis_port}",
        "REDIS_USER": store.reader[REDIS_USER],
        "REDIS_PASSWORD": store.reader[REDIS_PASSWORD],
    }
    with running(command, f"http://{target}/health", store.folder / "exporter.log", environment):
        yield target


def becomes(
    watching: Prometheus, alert: FeatureAlertName, state: str, meanwhile: Callable[[], object]
) -> None:
    """Wait for an alert's state, and do something meanwhile."""

    def condition() -> bool:
        meanwhile()
        return watching.alert_state(alert) == state

    eventually(condition, SECONDS, f"{alert} is {state}")


def nothing() -> None:
    """Do nothing while waiting."""


def redis_cli(store: Store, *commands: str) -> None:
    """Send Redis commands as the user that writes, and wait until each is answered."""
    lines = (f"AUTH {WRITER} {store.environment[REDIS_PASSWORD]}", *commands)
    with socket.create_connection(("127.0.0.1", store.redis_port), timeout=10) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
        with connection.makefile("rb") as answers:
            assert {answers.readline()[:1] for _ in lines} <= {b"+", b":"}


def test_the_exporter_is_the_one_that_is_deployed() -> None:
    assert RedisExporterImage().version == tool_version("redis_exporter")


def test_a_redis_that_is_down_is_reported(store: Store, sandbox: Clone, tmp_path: Path) -> None:
    with exporter(store) as target, watched(store, {REDIS: target}, sandbox, tmp_path) as watching:
        becomes(watching, FeatureAlertName.REDIS_DOWN, "firing", nothing)
        with store.redis():
            becomes(watching, FeatureAlertName.REDIS_DOWN, "inactive", nothing)


def test_a_full_redis_that_evicts_is_reported(store: Store, sandbox: Clone, tmp_path: Path) -> None:
    settings = {"maxmemory": "4mb", "maxmemory-policy": "allkeys-lru"}
    # The writer may use only keys that end as Feast's do.
    keys = [f"key{number}{feast_project('test')}" for number in range(5000)]
    filled = [f"SET {key} {'x' * 1000}" for key in keys]
    with (
        store.redis(**settings),
        exporter(store) as target,
        watched(store, {REDIS: target}, sandbox, tmp_path) as watching,
    ):
        becomes(watching, FeatureAlertName.REDIS_MEMORY_HIGH, "firing", lambda: redis_cli(store, *filled))
        becomes(watching, FeatureAlertName.REDIS_EVICTING, "firing", lambda: redis_cli(store, *filled))
        redis_cli(store, *(f"DEL {key}" for key in keys))
        becomes(watching, FeatureAlertName.REDIS_MEMORY_HIGH, "inactive", nothing)
        becomes(watching, FeatureAlertName.REDIS_EVICTING, "inactive", nothing)


def test_unknown_entities_are_reported(store: Store, sandbox: Clone, tmp_path: Path) -> None:
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
        with store.serving() as serving, exporter(store) as target:
            targets = {SERVER: serving.target, REDIS: target}
            with watched(store, targets, sandbox, tmp_path) as watching:
                missing = FeatureAlertName.MISSING_ENTITIES
                becomes(watching, missing, "firing", lambda: serving.read("none"))
                becomes(watching, missing, "inactive", lambda: serving.read("kettle-01"))
