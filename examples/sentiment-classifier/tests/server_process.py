"""A separate server process for a test: started on a free port of 127.0.0.1, asked over HTTP, ended."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

EXAMPLE = Path(__file__).resolve().parent.parent
SERVER = ("-m", "server")
SCRIPTED = (str(Path(__file__).with_name("scripted_server.py")),)
PATIENCE = 20


@dataclass(frozen=True)
class Answer:
    code: int
    content_type: str
    last_on_connection: bool
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=EXAMPLE,
        env=_environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


class ServerProcess:
    """Runs during a `with` block; `/health` answers from its start."""

    def __init__(self, log: Path, *command: str, **variables: str) -> None:
        self._log = log
        self._command = command or SERVER
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._variables = {
            "MODEL_NAME": "sentiment-classifier",
            "MODEL_VERSION": "v1.2.0",
            "HOST": "127.0.0.1",
            "PORT": str(self._port),
            **variables,
        }

    def __enter__(self) -> "ServerProcess":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=EXAMPLE,
                env=_environment(self._variables),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if not eventually(lambda: self._process.poll() is not None or self._answers()):
            self._end()
        assert self._process.poll() is None, f"the server did not start: {self._log.read_text()}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, body: object) -> Answer:
        return self._ask("POST", "/predict", body if isinstance(body, bytes) else json.dumps(body).encode())

    def predict(self, *texts: str) -> Answer:
        return self.post({"texts": list(texts)})

    def is_ready(self) -> bool:
        return self.get("/ready").code == 200

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Each sample by its name and the values of its labels."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    def in_flight(self) -> float:
        return self.metrics()["model_requests_in_flight",]

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        return self._process.wait(timeout=PATIENCE)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def _answers(self) -> bool:
        try:
            return self.get("/health").code == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            content_type = response.headers["content-type"]
            return Answer(response.status, content_type, response.will_close, response.read().decode())
        finally:
            connection.close()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=PATIENCE)


def _environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's environment without what would set up a server, and with the variables."""
    ours = ("MODEL_NAME", "MODEL_VERSION", "MODEL_PATH", "HOST", "PORT", "LOG_LEVEL")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("FEATURE_")
    }
    return {**kept, "PYTHONPATH": str(EXAMPLE), **variables}
