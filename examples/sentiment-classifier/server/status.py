"""The state of the process: whether it is shutting down, and how many requests are not answered yet."""

from dataclasses import dataclass


@dataclass
class Status:
    """Shared by the application and the process that runs it."""

    draining: bool = False
    """SIGTERM arrived: no new work should be sent here."""

    in_flight: int = 0
    """Requests to /predict that are not answered yet."""
