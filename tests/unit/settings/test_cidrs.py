"""Ranges of addresses: what the API server would refuse, or read as another range, is refused when it is read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.settings.cidr import Cidr
from components.settings.identifiers import LabelKey
from components.settings.network import Destination

CIDR, DESTINATION, LABEL = TypeAdapter(Cidr), TypeAdapter(Destination), TypeAdapter(LabelKey)


def said(error: pytest.ExceptionInfo[ValidationError]) -> tuple[str, str]:
    (details,) = error.value.errors()
    return details["ctx"]["reason"], details["ctx"]["fix"]


@pytest.mark.parametrize(
    "good", ["10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0", "::/0", "fd00::/8", "2001:DB8::/32"]
)
def test_a_range_passes(good: str) -> None:
    assert CIDR.validate_python(good) == good


@pytest.mark.parametrize(
    ("bad", "reason", "fix"),
    [
        ("999.999.0.0/99", "is not a range of addresses", "10.0.0.0/16"),
        ("10.0.0.0/33", "is not a range of addresses", "10.0.0.0/16"),
        ("::/129", "is not a range of addresses", "fd00:1234::/48"),
        ("010.0.0.0/8", "is not a range of addresses", "10.0.0.0/16"),
        ("10.0.0/24", "is not a range of addresses", "10.0.0.0/16"),
        ("10.0.0.0", "an address and the length of its range", "write 10.0.0.0/32"),
        ("10.0.0.0/08", "an address and the length of its range", "write 10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "an address and the length of its range", "write 10.0.0.0/8"),
        (
            "10.0.0.1/8",
            "is not the first address of its range, 10.0.0.0/8",
            "or 10.0.0.1/32 for this address",
        ),
        ("fd00::1/8", "is not the first address of its range, fd00::/8", "or fd00::1/128 for this address"),
        ("::ffff:10.0.0.0/104", "is an IPv4 range in IPv6 form", "write 10.0.0.0/8"),
        ("::ffff:0:0/96", "is an IPv4 range in IPv6 form", "write 0.0.0.0/0"),
        ("fe80::%eth0/64", "must be a range of addresses", "fd00:1234::/48"),
        ("example.com", "knows no names of hosts", "or name pods instead"),
        ("example.com/24", "knows no names of hosts", "or name pods instead"),
        ("", "must be a range of addresses", "10.0.0.0/16"),
        (" 10.0.0.0/8", "must be a range of addresses", "10.0.0.0/16"),
        ("10.0.0.0/8\n", "must be a range of addresses", "10.0.0.0/16"),
    ],
)
def test_anything_else_is_refused(bad: str, reason: str, fix: str) -> None:
    with pytest.raises(ValidationError) as error:
        CIDR.validate_python(bad)

    why, how = said(error)
    assert reason in why
    assert fix in how


def test_a_part_of_a_range_can_be_excepted() -> None:
    found = DESTINATION.validate_json(
        '{"cidr": "169.254.0.0/16", "except": ["169.254.169.254/32"], "ports": [53]}'
    )

    assert found.excluded == ("169.254.169.254/32",)


@pytest.mark.parametrize("outside", ["10.0.0.0/8", "10.0.0.0/7", "11.0.0.0/9", "::/9", "fd00::/16"])
def test_what_is_excepted_is_inside_and_smaller(outside: str) -> None:
    with pytest.raises(ValidationError) as error:
        DESTINATION.validate_json(f'{{"cidr": "10.0.0.0/8", "except": ["{outside}"], "ports": [1]}}')

    assert "is not a smaller range inside 10.0.0.0/8" in said(error)[0]


def test_pods_have_no_part_to_except() -> None:
    with pytest.raises(ValidationError) as error:
        DESTINATION.validate_json('{"pods": {"labels": {"a": "b"}}, "except": ["10.0.0.0/9"], "ports": [1]}')

    assert "except needs a cidr" in said(error)[0]


@pytest.mark.parametrize("long", ["a" * 64, f"{'a.' * 126}aa/x", f"x/{'a' * 64}"])
def test_a_label_key_that_the_api_server_refuses_as_too_long(long: str) -> None:
    with pytest.raises(ValidationError) as error:
        LABEL.validate_python(long)

    assert "characters, more than" in said(error)[0]
