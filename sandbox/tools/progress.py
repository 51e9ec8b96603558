"""Progress of work that takes minutes: a bar on a terminal, a line now and then in a log."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from delivery.output import say

LINE_SECONDS = 15.0


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[str], None]]:
    """Show progress on standard error until the block ends; yields a function that counts a step by its name.

    Steps that are already done need not be counted, so the remaining time is an upper bound.

    Args:
        what: What is done, like `build`.
        total: How many packages there are; None where that is not known.
    """
    console = Console(stderr=True)
    shown = Progress(BarColumn(), _Line(), console=console, transient=True, speed_estimate_period=3600)
    number = shown.add_task(what, total=total, name="starting")
    task = shown.tasks[number]
    with shown if console.is_terminal else _logged(task):
        yield lambda name: shown.update(number, advance=1, name=name)
    say(f"{what}: done in {task.elapsed or 0:.0f} s", err=True)


class _Line(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_line(task), no_wrap=True, overflow="ellipsis")


@contextmanager
def _logged(task: Task) -> Iterator[None]:
    """Print the line at an interval, even while nothing is counted: linking takes minutes without a step."""
    ended = threading.Event()

    def print_lines() -> None:
        while not ended.wait(LINE_SECONDS):
            say(_line(task), err=True)

    thread = threading.Thread(target=print_lines, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _line(task: Task) -> str:
    """`build: 120 of 2400 packages, 30 s, at most 570 s left: k8s.io/api/core/v1`."""
    count = "so far" if task.total is None else f"of {task.total:.0f} packages"
    left = "" if task.time_remaining is None else f", at most {task.time_remaining:.0f} s left"
    return f"{task.description}: {task.completed:.0f} {count}, {task.elapsed or 0:.0f} s{left}: {task.fields['name']}"
