"""What the commands tell their user instead of a traceback."""


class DeliveryError(Exception):
    """Something could not be done; the message says what, why and how to mend it."""
