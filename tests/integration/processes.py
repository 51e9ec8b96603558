"""The processes of a sandbox, their files and their ports."""

import contextlib
from pathlib import Path

# 127.0.0.1 as the kernel writes it.
LOOPBACK = "0100007F"


def processes(folder: Path) -> list[str]:
    """The running processes whose command line names a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder / ".sandbox") in command:
            found.append(command)
    return found


def open_files(pid: str) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # A connection may close while we look.
        with contextlib.suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def listening(pid: str) -> list[str]:
    """The addresses that a process listens on, as the kernel writes them."""
    sockets = {name for name in open_files(pid) if name.startswith("socket:")}
    rows = [
        row.split()
        for name in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return [row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
