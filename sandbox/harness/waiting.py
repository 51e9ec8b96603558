"""Waiting for a condition that a server fulfils later."""

import time
from collections.abc import Callable


def wait_for(
    condition: Callable[[], object], seconds: float = 30, what: str = "it happens", pause: float = 0.2
) -> None:
    """Wait until a condition holds, checking every `pause` seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(pause)


def eventually(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until a condition holds; returns after how many seconds it did."""
    started = time.monotonic()
    wait_for(condition, seconds, what, pause=0.1)
    return time.monotonic() - started
