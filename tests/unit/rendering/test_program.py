"""The program is run without the Pulumi engine, and leaves nothing behind."""

import asyncio
import gc
from pathlib import Path

from delivery.rendering.program import record

ROOT = Path(__file__).parents[3]


def test_no_event_loop_is_left_open() -> None:
    record(ROOT, "staging")
    left = [item for item in gc.get_objects() if isinstance(item, asyncio.AbstractEventLoop)]
    assert [loop for loop in left if not loop.is_closed()] == []
