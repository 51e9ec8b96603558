"""A real feature store on 127.0.0.1: Feast with the configuration and the commands that the program makes.

It has its own definitions, so that a change of features/ changes nothing here. Replaced are addresses and folders, and
in the definitions the address of the source, which is a file here. The registry is SQLite, in a file: a SQL registry
like PostgreSQL, with the same code of Feast. Feast has read the definitions by `python -m delivery features --project
sandbox/harness/feature_store`, and does not read them again for each store.
"""

import json
import secrets
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from components.feature_store.feast_pod import server_configuration
from components.feature_store.feast_yaml import FILE, feast_project
from components.feature_store.online_store import redis_config
from components.feature_store.redis_users import (
    READER,
    READER_PASSWORD,
    WRITER,
    WRITER_PASSWORD,
    redis_start,
)
from components.feature_store.server import server_command
from components.files.sources import Sources
from components.loading.feature_definitions import FILE as DEFINITIONS_FILE
from components.loading.feature_definitions import source_files
from components.settings.feature_store import (
    REDIS_PASSWORD,
    REDIS_USER,
    REGISTRY_URL,
    FeatureStoreSettings,
)
from components.settings.stack import StackSettings
from components.stack import load_stack
from delivery.features.definitions import definitions_text
from sandbox.harness.clone import CHECKOUT, MODEL, one_model
from sandbox.harness.redis import redis
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running

PYTHON = CHECKOUT / ".venv-feast" / "bin" / "python"
SERVICE, VIEW = "sentiment_v1", "product_reviews"
_HERE = Path(__file__).parent
_DEFINITIONS, _COUNTS = _HERE / "features", _HERE / "product_reviews.csv"
_SOURCE = "s3://example-features/product_reviews.parquet"
_SECONDS = 300
_STORE = """\
  ml-deployments:featureStore:
    owner: team-features
    version: "0.67.0"
    replicas: 1
    registryRefreshSeconds: 2
    online:
      redis:
        url: redis://{redis}
        user: {writer}
        passwordSecret: {{name: redis, key: password}}
        readUser: {reader}
        readPasswordSecret: {{name: redis, key: read-password}}
    registry: {{sql: {{urlSecret: {{name: registry, key: url}}}}}}
    network: {{egress: [{{cidr: 10.0.0.0/16, ports: [5432, 6379]}}]}}
"""


@dataclass(frozen=True)
class Serving:
    """A running feature server.

    Attributes:
        url: The address for reads.
        metrics: The address of its metrics.
        log: Its output.
    """

    url: str
    metrics: str
    log: Path

    @property
    def target(self) -> str:
        """The target of its metrics for Prometheus: host and port."""
        return urllib.parse.urlsplit(self.metrics).netloc

    def read(self, product: str, service: str = SERVICE) -> dict[str, Any]:
        """The features of a product; raises urllib.error.HTTPError."""
        body = {"feature_service": service, "entities": {"product_id": [product]}}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}/get-online-features", json.dumps(body).encode(), headers
        )
        # Feast tries for seconds to reach its Redis, or to log in, before it fails.
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        names = answer["metadata"]["feature_names"]
        return {name: each["values"][0] for name, each in zip(names, answer["results"], strict=True)}


@dataclass(frozen=True)
class Store:
    """A stage's feature store.

    Attributes:
        folder: The project, with a stage `test` whose model reads sentiment_v1.
        redis_port: The port of its Redis, when it runs.
        environment: The variables of the pods that run Feast's jobs.
        reader: The variables that a feature server has instead: the login of the user that only reads.
    """

    folder: Path
    redis_port: int
    environment: Mapping[str, str]
    reader: Mapping[str, str]

    @property
    def stack(self) -> StackSettings:
        """The stage, as the program reads it."""
        return load_stack(Sources.of(self.folder), "test").settings

    @property
    def settings(self) -> FeatureStoreSettings:
        """The stage's feature store."""
        found = self.stack.feature_store
        assert found is not None
        return found

    def with_variables(self, **variables: str) -> "Store":
        """The same store, with other secrets."""
        reader = {name: variables.get(name, value) for name, value in self.reader.items()}
        return replace(self, environment={**self.environment, **variables}, reader=reader)

    @contextmanager
    def redis(self, **settings: str) -> Iterator[None]:
        """Its Redis, started as an installed one is; what was written is there again at the next start."""
        installed = self.settings.online.redis.model_copy(update={"install": True, "url": None})
        lines = (line.split(" ", 1) for line in redis_config(installed).splitlines())
        config = {**dict(lines), **settings}
        passwords = {
            WRITER_PASSWORD: self.environment[REDIS_PASSWORD],
            READER_PASSWORD: self.reader[REDIS_PASSWORD],
        }
        project = feast_project(self.stack.stage)
        data = self.folder / "redis"
        data.mkdir(exist_ok=True)
        start = partial(redis_start, project=project)
        with redis(data, config, self.redis_port, script=start, environment=passwords):
            yield

    def feast(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A Feast command on the definitions, as the jobs run it."""
        done = subprocess.run(
            self._command("--chdir", self.folder / "features", *arguments),
            env={"PATH": "/usr/bin:/bin", **self.environment},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def materialize(self, until: datetime | None = None, *, check: bool = True) -> str:
        """Load the source's values up to a time into the online store, by default now; returns Feast's output."""
        moment = (until or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S")
        done = self.feast("materialize-incremental", moment, check=check)
        assert check or done.returncode != 0, "it should have failed"
        return done.stdout + done.stderr

    def write_source(self, *times: datetime) -> None:
        """Write the source with a row of each product for each time, from the oldest to the newest."""
        target = self.folder / "product_reviews.parquet"
        moments = (time.isoformat() for time in times)
        command: list[str | Path] = [PYTHON, _HERE / "product_reviews.py", _COUNTS, target, *moments]
        subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True)

    @contextmanager
    def serving(self, name: str = "server") -> Iterator[Serving]:
        """A feature server, by the command of its pod."""
        port, metrics = free_port(), free_port()
        log = self.folder / f"{name}.log"
        own = [
            {"--host=0.0.0.0": "--host=127.0.0.1", "--port=6566": f"--port={port}"}.get(part, part)
            for part in server_command(self.settings)
        ]
        found = Serving(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}/metrics", log)
        command = self._command("--chdir", self.folder, *own[own.index("serve") :])
        environment = {**self.environment, **self.reader, "METRICS_PORT": str(metrics)}
        with running(command, f"{found.url}/health", log, environment):
            yield found

    def _command(self, *arguments: str | Path) -> list[str | Path]:
        for name, text in server_configuration(self.settings, self.stack).items():
            (self.folder / name).write_text(text)
        script = _HERE / "feast_on_loopback.py"
        return [PYTHON, script, "--feature-store-yaml", self.folder / FILE, *arguments]


def feature_store(folder: Path) -> Store:
    """A stage with definitions, their source and a model that reads from them; nothing runs yet."""
    store = store_of(folder, _DEFINITIONS, model=f"{MODEL}features: {{service: {SERVICE}}}\n")
    change_definitions(folder, _SOURCE, str(folder / "product_reviews.parquet"))
    store.write_source(datetime.now(UTC))
    return store


def store_of(folder: Path, definitions: Path, model: str = MODEL) -> Store:
    """A stage with a copy of definitions; nothing runs yet."""
    port = free_port()
    one_model(folder, model, more=_STORE.format(redis=f"127.0.0.1:{port}", writer=WRITER, reader=READER))
    shutil.copytree(
        definitions, folder / "features", ignore=shutil.ignore_patterns("requirements*", "__pycache__")
    )
    environment = {
        "HOME": str(folder),
        REDIS_USER: WRITER,
        REDIS_PASSWORD: secrets.token_hex(16),
        REGISTRY_URL: f"sqlite:///{folder}/registry.db",
    }
    reader = {REDIS_USER: READER, REDIS_PASSWORD: secrets.token_hex(16)}
    return Store(folder, port, environment, reader)


def change_definitions(folder: Path, old: str, new: str, file: str = "products.py") -> None:
    """Replace a text that occurs once in the definitions and does not affect what the program knows about them."""
    path = folder / "features" / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    files, _ = source_files(Sources.of(folder))
    known = yaml.safe_load((folder / DEFINITIONS_FILE).read_text())
    read = {part: known[part] for part in ("feast", "entities", "views", "services")}
    (folder / DEFINITIONS_FILE).write_text(definitions_text(files, read))
