"""One at a time across processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer


@contextmanager
def locked(path: Path, purpose: str) -> Iterator[None]:
    """Hold a file lock; waits for another holder and says for what. The system frees it when the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = False
    while True:
        with path.open("a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    typer.echo(f"Waiting for another process: {purpose}", err=True)
                    told = True
                fcntl.flock(file, fcntl.LOCK_EX)
            # `down` removes its lock file: whoever waited for the removed one would share the lock with a newcomer.
            if _is_at(path, file.fileno()):
                yield
                return


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
