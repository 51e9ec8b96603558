"""Servers on 127.0.0.1 for a test: started, waited for, ended."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.integration.clone import wait_for

START_SECONDS = 60
STOP_SECONDS = 10
TAIL_BYTES = 3000


@contextmanager
def running(
    command: list[str | Path], ready: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends.

    Args:
        command: The server, in the foreground.
        ready: An address that answers 200 once it serves, or `tcp://HOST:PORT`.
        log: Where its output goes.
        environment: What it gets on top of this process' own.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
    try:
        eventually(lambda: process.poll() is not None or answers(ready), START_SECONDS, ready)
        assert process.poll() is None, log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(address: str) -> bool:
    """True when an address answers 200, or, of a `tcp:` one, takes a connection."""
    try:
        if address.startswith("tcp:"):
            place = urllib.parse.urlsplit(address)
            socket.create_connection((place.hostname, place.port), timeout=5).close()
            return True
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def eventually(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until a condition holds; returns after how many seconds it did."""
    started = time.monotonic()
    wait_for(condition, seconds, what, pause=0.1)
    return time.monotonic() - started
