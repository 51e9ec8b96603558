"""Ranges of addresses, as a NetworkPolicy's `ipBlock` takes them.

The API server refuses a range that it cannot read only when the object is written, in the middle of a deployment.
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.wrong import wrong

# ipaddress also reads netmasks and a missing length, which Kubernetes refuses.
_FORM = re.compile(r"([0-9a-fA-F.:]+)/(0|[1-9][0-9]{0,2})")
# Where clouds answer with the credentials of the node: all of them at the first; Amazon, Google and Oracle over IPv6;
# Alibaba; the host that Azure's agents ask.
METADATA_ADDRESSES = (
    "169.254.169.254",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
)
_EXAMPLE = "write it like 10.0.0.0/16 or fd00:1234::/48"


def _cidr(text: str) -> str:
    match = _FORM.fullmatch(text)
    if match is None:
        raise _not_a_range(text)
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        raise wrong("is not a range of addresses", _EXAMPLE) from None
    if isinstance(found, ipaddress.IPv6Interface) and found.ip.ipv4_mapped is not None:
        length = max(found.network.prefixlen - 96, 0)
        plain = ipaddress.ip_network(f"{found.ip.ipv4_mapped}/{length}", strict=False)
        raise wrong("is an IPv4 range in IPv6 form, which matches no packet", f"write {plain}")
    if found.ip != found.network.network_address:
        alone = f"{found.ip}/{found.ip.max_prefixlen}"
        raise wrong(
            f"is not the first address of its range, {found.network}",
            f"write {found.network} for the range, or {alone} for this address alone",
        )
    return text


def _not_a_range(text: str) -> Exception:
    try:
        # Reads a single address, a netmask and a length with a leading zero. A zone, after a %, names an interface.
        if "%" not in text:
            plain = ipaddress.ip_network(text)
            return wrong("must be an address and the length of its range", f"write {plain}")
    except ValueError:
        pass
    if re.search("[g-zG-Z]", text) and "%" not in text:
        return wrong(
            "must be a range of addresses; a NetworkPolicy knows no names of hosts",
            f"{_EXAMPLE}, or name pods instead",
        )
    return wrong("must be a range of addresses", _EXAMPLE)


def is_strict_part(inner: str, outer: str) -> bool:
    """True when the first range is inside the second one, and smaller."""
    one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    return one.version == other.version and one.prefixlen > other.prefixlen and one.network_address in other


Cidr = Annotated[
    str,
    AfterValidator(_cidr),
    Field(json_schema_extra={"pattern": f"^{_FORM.pattern}$"}),
]
