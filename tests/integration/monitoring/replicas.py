"""Real example servers that simulate the pods of a Deployment, and the requests that they get."""

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.harness.registries import EXAMPLE, EXAMPLE_PYTHON
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running

SERVER = EXAMPLE / "tests" / "faulty_server.py"
TEXTS = json.dumps({"texts": ["I love it", "Not good at all"]}).encode()
REQUESTS_PER_SECOND = 20


@dataclass
class Replica:
    """One server process; `restart` ends it and starts another one in its place.

    Attributes:
        pod: The pod it plays.
        version: The version it serves.
        port: Where it listens.
    """

    pod: str
    version: str
    folder: Path
    model: Path
    port: int
    stack: ExitStack

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, model: Path | None = None) -> None:
        """Start the server with a model file, by default the good one; ends the one that runs."""
        self.stack.close()
        environment = {
            "MODEL_NAME": "sentiment-classifier",
            "MODEL_VERSION": self.version,
            "MODEL_PATH": str(model or self.model),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PYTHONPATH": str(EXAMPLE),
            "FAULTS": str(self.folder / "faults.json"),
        }
        log = self.folder / f"{self.pod}.log"
        self.stack.enter_context(
            running([EXAMPLE_PYTHON, SERVER], f"{self.address}/health", log, environment)
        )


@contextmanager
def replicas(pods: list[tuple[str, str]], model: Path, folder: Path) -> Iterator[list[Replica]]:
    """A server for each pod and version, at first without faults."""
    set_faults(folder)
    with ExitStack() as stack:
        found = []
        for pod, version in pods:
            replica = Replica(pod, version, folder, model, free_port(), ExitStack())
            stack.callback(replica.stack.close)
            replica.start()
            found.append(replica)
        yield found


def set_faults(folder: Path, *, errors: int = 0, slow: int = 0) -> None:
    """From now on, this many of every hundred requests fail and this many are slow."""
    new = folder / "faults.new"
    new.write_text(json.dumps({"errors": errors, "slow": slow, "seconds": 0.7}))
    new.rename(folder / "faults.json")


@contextmanager
def load(servers: list[Replica]) -> Iterator[None]:
    """Requests to each server at an even rate, until the block ends."""
    ended = threading.Event()

    def send(server: Replica) -> None:
        while not ended.is_set():
            started = time.monotonic()
            request = urllib.request.Request(f"{server.address}/predict", TEXTS)
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(request, timeout=5).close()
            ended.wait(max(0.0, WORKERS / REQUESTS_PER_SECOND - (time.monotonic() - started)))

    threads = [threading.Thread(target=send, args=(s,), daemon=True) for s in servers for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)


# Slow requests must not slow the others.
WORKERS = 8
