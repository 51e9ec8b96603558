"""What the process is doing: is it going away, and how many requests does it still owe an answer."""

from dataclasses import dataclass


@dataclass
class Status:
    """Shared by the application and the process that runs it."""

    draining: bool = False
    """SIGTERM came: no new work should be sent here."""

    in_flight: int = 0
    """Requests to /predict that are not answered yet."""
