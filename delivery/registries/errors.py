"""What a registry can fail with."""

from components.errors import UserError


class RegistryError(UserError):
    """A registry was asked and gave no answer that can be used."""


class NotFound(RegistryError):
    """The registry answered, and does not have what was asked for."""


class Denied(RegistryError):
    """The registry wants other credentials, or some."""


class Unavailable(RegistryError):
    """The registry is down, slow, or answers with an error of its own."""
