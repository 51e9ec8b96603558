"""Addresses without the secrets that an address can contain."""

from pydantic import AfterValidator

from components.errors import has_credentials
from components.settings.wrong import wrong


def no_password(address: str, instead: str) -> str:
    """An address that contains no password.

    Args:
        address: The address, in any scheme.
        instead: Where the password belongs, as the fix.

    Raises:
        PydanticCustomError: it contains one; over http, a name alone counts too, since it may be a token.
    """
    if has_credentials(address):
        raise wrong("contains a password, and no secret is ever in git", instead)
    return address


def without_password(instead: str) -> AfterValidator:
    """The same for the type of a setting."""
    return AfterValidator(lambda address: no_password(address, instead))
