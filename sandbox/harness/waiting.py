"""Waiting for what a server does in its own time."""

import time
from collections.abc import Callable

from sandbox.harness.clone import wait_for


def eventually(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until a condition holds; returns after how many seconds it did."""
    started = time.monotonic()
    wait_for(condition, seconds, what, pause=0.1)
    return time.monotonic() - started
