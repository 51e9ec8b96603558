"""Measures the time of steps and compares each with another step of the same run."""

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Clock:
    """The seconds of each step, by its name."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the time of the block."""
        started = time.perf_counter()
        yield
        self.taken[name].append(time.perf_counter() - started)

    def rows(self, first: Mapping[str, object], against: Mapping[str, str]) -> Iterator[dict[str, object]]:
        """A row of the table for each step, with the one it is measured against.

        Args:
            first: The columns that all rows begin with.
            against: The other step's name by the step's.
        """
        for step, other in against.items():
            own, its = (self.taken[name] for name in (step, other))
            yield {
                **first,
                "step": step,
                "median": round(statistics.median(own), 4),
                "least": round(min(own), 4),
                "against": other,
                "its median": round(statistics.median(its), 4),
                "its least": round(min(its), 4),
                "ratio": round(statistics.median(own) / statistics.median(its), 2),
                "load": round(os.getloadavg()[0], 1),
                "processors": os.cpu_count() or 0,
            }
