"""One at a time across processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from delivery.output import say


@contextmanager
def locked(path: Path, purpose: str) -> Iterator[None]:
    """Hold a file lock; waits for another holder and says for what. The system releases it when the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say(f"Waiting for another process: {purpose}", err=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
