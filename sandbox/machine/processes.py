"""Processes that outlive the command that started them: known by a file with their number, and by what they run."""

import contextlib
import socket
from pathlib import Path

import psutil

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
        return "".join(f"{word}\0" for word in psutil.Process(pid).cmdline())
    except psutil.Error:
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
    running: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if mark in command_line(pid):
                process.terminate()
                running.append(process)
    _, left = psutil.wait_procs(running, timeout=STOP_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=STOP_SECONDS)
