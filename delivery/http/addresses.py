"""Which addresses may be sent a secret, and when two of them are the same server."""

import ipaddress
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses, with or without a port: the only ones that are asked without TLS."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, in the spelling that is compared.

    Raises:
        ValueError: the address cannot be read.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def is_private(url: str) -> bool:
    """True where nobody on the way can read what is sent: over TLS, or on this machine.

    Raises:
        ValueError: the address cannot be read.
    """
    scheme, host, _ = origin(url)
    return scheme == "https" or (scheme == "http" and is_loopback(host))
