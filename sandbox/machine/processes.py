"""Processes that outlive the command that started them: identified by a file with their PID, and by their command."""

import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

# Long enough to write what is buffered; a process that waits for another one that also ends would wait forever.
STOP_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Component:
    """One process of the sandbox; `pid` is None when it does not run."""

    name: str
    pid: int | None


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def command_line(pid: int) -> str:
    """A process' arguments, a NUL after each; empty when it has ended, even if it is not reaped."""
    try:
        return "".join(f"{word}\0" for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def recorded(path: Path, mark: str) -> int | None:
    """The process that a file names; None when it does not run, or when its command line does not contain the mark."""
    try:
        pid = int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return pid if mark in command_line(pid) else None


def end(pids: list[int], mark: str) -> None:
    """End those processes whose command line contains the mark, by force where they do not end themselves."""
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
