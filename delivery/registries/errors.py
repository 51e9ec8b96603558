"""What a registry can fail with."""

from delivery.errors import DeliveryError


class RegistryError(DeliveryError):
    """A registry was asked and gave no answer that can be used.

    Attributes:
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
    """

    def __init__(self, reason: str, fix: str) -> None:
        self.reason, self.fix = reason, fix
        super().__init__(f"{reason}. Fix: {fix}")


class NotFound(RegistryError):
    """The registry answered, and does not have what was asked for."""


class Denied(RegistryError):
    """The registry wants other credentials, or some."""


class Unavailable(RegistryError):
    """The registry is down, slow, or answers with an error of its own."""
