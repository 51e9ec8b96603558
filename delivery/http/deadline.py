"""Ends what takes too long, whatever it waits for."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What the work returns, if it is done in time.

    A socket's own time limit counts from the last byte, so an answer of one byte a second never reaches it, and neither
    the search for a host's addresses nor a credential helper has one. What is late is left to a thread that does not
    keep the program from ending.

    Raises:
        TimeoutError: it is not done.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done.result(seconds)
