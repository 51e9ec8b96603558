"""What the commands show their user instead of a traceback."""

from components.errors import UserError


class DeliveryError(UserError):
    """Something could not be done; the message says what, why and how to repair it."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason, fix)
