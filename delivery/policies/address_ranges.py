"""What ranges of addresses reach together. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Any, TypeVar

from components.settings.cidr import METADATA_ADDRESSES

Range = IPv4Network | IPv6Network
N = TypeVar("N", IPv4Network, IPv6Network)
# More addresses than an IPv4 /8, or than the IPv6 /32 of one provider, are not a list of known destinations.
_MOST = {4: 2**24, 6: 2**96}
# Of the cluster and its neighbours: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
_PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
# IPv4 in IPv6: mapped (RFC 4291), and translated by NAT64 (RFC 6052).
_WITH_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
METADATA = tuple(map(ip_address, METADATA_ADDRESSES))


def reached(blocks: Iterable[Mapping[str, Any]]) -> list[Range]:
    """The ranges that several `ipBlock` reach together, as few as possible: neighbours become one."""
    found = [part for block in blocks for part in _block(block)]
    return [
        *collapse_addresses(part for part in found if isinstance(part, IPv4Network)),
        *collapse_addresses(part for part in found if isinstance(part, IPv6Network)),
    ]


def is_open(ranges: Iterable[Range]) -> bool:
    """True when they reach so many public addresses that anyone may own one of them."""
    public = _without(ranges, _PRIVATE)
    count = dict.fromkeys(_MOST, 0)
    for part in public:
        count[part.version] += part.num_addresses
    return any(count[version] > most for version, most in _MOST.items())


def metadata(ranges: Iterable[Range]) -> list[IPv4Address | IPv6Address]:
    """The metadata addresses that they reach."""
    known = list(ranges)
    return [address for address in METADATA if any(address in part for part in known)]


def _block(block: Mapping[str, Any]) -> Iterator[Range]:
    holes = [ip_network(hole, strict=False) for hole in block.get("except") or ()]
    for part in _without([ip_network(block["cidr"], strict=False)], holes):
        yield part
        yield from _as_ipv4(part)


def _as_ipv4(part: Range) -> Iterator[IPv4Network]:
    """The IPv4 addresses that an IPv6 range reaches on purpose: one that is open already is not read so."""
    if not isinstance(part, IPv6Network) or part.num_addresses > _MOST[6]:
        return
    for prefix in _WITH_IPV4:
        if prefix.subnet_of(part):
            yield IPv4Network("0.0.0.0/0")
        elif part.subnet_of(prefix):
            yield IPv4Network((int(part.network_address) % 2**32, part.prefixlen - prefix.prefixlen))


def _without(ranges: Iterable[Range], holes: Iterable[Range]) -> list[Range]:
    left = list(ranges)
    for hole in holes:
        left = [rest for part in left for rest in _cut(part, hole)]
    return left


def _cut(part: Range, hole: Range) -> Iterator[Range]:
    if isinstance(part, IPv4Network) and isinstance(hole, IPv4Network):  # noqa: SIM114, both of one family
        yield from _cut_alike(part, hole)
    elif isinstance(part, IPv6Network) and isinstance(hole, IPv6Network):
        yield from _cut_alike(part, hole)
    else:
        yield part


def _cut_alike(part: N, hole: N) -> Iterator[N]:
    if hole.subnet_of(part):
        yield from part.address_exclude(hole)
    elif not part.subnet_of(hole):
        yield part
