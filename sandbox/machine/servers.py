"""Servers on 127.0.0.1 that run as long as a block does: started, waited for, ended."""

import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.errors import UserError

START_SECONDS = 60
STOP_SECONDS = 10
TAIL_BYTES = 3000
PAUSE_SECONDS = 0.1
OK = 200


@contextmanager
def running(
    command: list[str | Path],
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    start_seconds: float = START_SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends.

    Args:
        command: The server, in the foreground.
        ready: An address that answers 200 once it serves, or `tcp://HOST:PORT`.
        log: The file for its output.
        environment: Variables in addition to this process' own.
        folder: Its working directory.
        start_seconds: How long it may take to serve.

    Raises:
        UserError: it ended, or did not serve in time; the message has the end of its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
        )
    try:
        _wait(process, ready, log, start_seconds)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(address: str) -> bool:
    """True when an address answers 200 or, for `tcp:`, accepts a connection."""
    try:
        if address.startswith("tcp:"):
            place = urllib.parse.urlsplit(address)
            socket.create_connection((place.hostname, place.port), timeout=5).close()
            return True
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == OK)
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and not answers(ready):
        if time.monotonic() > deadline:
            raise UserError(
                f"{ready} did not answer within {seconds:.0f} s",
                f"see {log}, then try again",
                said=_tail(log),
            )
        time.sleep(PAUSE_SECONDS)
    if process.poll() is not None:
        raise UserError(f"{process.args!r} ended at once", f"see {log}, then try again", said=_tail(log))


def _tail(log: Path) -> str:
    return log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
