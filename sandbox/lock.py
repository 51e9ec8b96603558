"""One at a time across processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer


@contextmanager
def locked(path: Path, purpose: str) -> Iterator[None]:
    """Hold a file lock; waits for another holder and says for what. The system frees it when the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            typer.echo(f"Waiting for another process: {purpose}", err=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
