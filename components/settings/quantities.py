"""Kubernetes quantities, durations and percentages, kept as exact decimals."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.wrong import wrong

# Suffixes of k8s.io/apimachinery/pkg/api/resource: decimal and binary multiples.
_MULTIPLES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(n|u|m|k|[KMGTPE]i|[MGTPE])?")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


def quantity(text: str) -> Decimal:
    """The value of a Kubernetes quantity in base units (cores, bytes, devices): `500m` is 0.5.

    Raises:
        ValueError: the text is not a quantity, or is negative.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise wrong("must be a Kubernetes quantity", "write it like 500m, 2, 2Gi or 512Mi")
    return Decimal(match[1]) * _MULTIPLES[match[2] or ""]


def seconds(text: str) -> Decimal:
    """The seconds of a duration of one number and one unit: `500ms` is 0.5.

    Raises:
        ValueError: the text is not a duration, or is not above zero.
    """
    match = _DURATION.fullmatch(text)
    if match is None or Decimal(match[1]) == 0:
        raise wrong("must be a duration above zero", "write it like 250ms, 0.5s, 10m or 1h")
    return Decimal(match[1]) * _SECONDS[match[2]]


def _objective(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", text) or not 0 < Decimal(text) < 100:  # noqa: PLR2004
        raise wrong("must be a percentage between 0 and 100, both excluded", 'write it like "99.9"')
    return text


def _checked_quantity(text: str) -> str:
    quantity(text)
    return text


def _checked_duration(text: str) -> str:
    seconds(text)
    return text


Quantity = Annotated[
    str,
    AfterValidator(_checked_quantity),
    Field(json_schema_extra={"pattern": f"^{_QUANTITY.pattern}$"}),
]
Duration = Annotated[
    str,
    AfterValidator(_checked_duration),
    Field(json_schema_extra={"pattern": f"^{_DURATION.pattern}$"}),
]
Objective = Annotated[
    str,
    AfterValidator(_objective),
    Field(json_schema_extra={"pattern": r"^[0-9]{1,2}(\.[0-9]{1,6})?$"}),
]
