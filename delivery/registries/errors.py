"""How a registry can fail."""

from components.errors import UserError


class RegistryError(UserError):
    """A registry was asked and did not return a usable answer."""


class NotFound(RegistryError):
    """The registry answered, and does not have what was asked for."""


class Denied(RegistryError):
    """The registry requires credentials, or other ones."""


class Unavailable(RegistryError):
    """The registry is down, slow, or answers with a server error."""
