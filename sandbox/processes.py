"""Processes that outlive the command that started them: known by a file with their number, and by what they run."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

# Long enough to write what is buffered; whoever waits for another one that ends too would wait for ever.
STOP_SECONDS = 3.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def command_line(pid: int) -> str:
    """The words a process was started with, a NUL after each; empty when it ended, also when it is not reaped."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return ""


def recorded(path: Path, mark: str) -> int | None:
    """The process a file names; None when none runs, or one whose command line does not hold the mark."""
    try:
        pid = int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return pid if mark in command_line(pid) else None


def end(pids: list[int], mark: str) -> None:
    """End those of the processes whose command line holds the mark, by force where they do not end themselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            if mark in command_line(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while any(mark in command_line(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
