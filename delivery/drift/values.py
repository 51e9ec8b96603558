"""Whether two values are the same one in other words. Pure functions.

The API server writes the values of its own kinds in one way. Those of custom resources stay as they were written.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from components.settings.quantities import quantity
from delivery.drift.fields import MISSING, Path

_AMOUNTS = {"requests", "limits", "capacity"}
_AMOUNT = {"sizeLimit"}
# Prometheus' durations: https://prometheus.io/docs/prometheus/latest/configuration/configuration/
_DURATIONS = {
    "evaluationInterval",
    "for",
    "groupInterval",
    "groupWait",
    "interval",
    "repeatInterval",
    "retention",
    "scrapeInterval",
    "scrapeTimeout",
}
_SECONDS = {
    "y": Decimal(31_536_000),
    "w": Decimal(604_800),
    "d": Decimal(86_400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_PART = r"([0-9]+)(ms|[ywdhms])"
# Below these a name is free, and means nothing.
_FREE = {"annotations", "labels", "matchLabels", "nodeSelector"}


def same(path: Path, one: Any, other: Any) -> bool:  # noqa: ANN401
    """True where two values of a field differ in nothing but how they are written."""
    if one == other or (is_empty_list(one) and other is MISSING) or (one is MISSING and is_empty_list(other)):
        return True
    if path[:1] != ("spec",) or not all(isinstance(value, str | int) for value in (one, other)):
        return False
    above, last = path[-2:] if len(path) > 1 else (None, None)
    if above in _AMOUNTS or last in _AMOUNT:
        return _equal(_amount, one, other)
    return last in _DURATIONS and above not in _FREE and _equal(_duration, one, other)


def is_empty_list(value: object) -> bool:
    """True for a list without items, which means the same as no list."""
    return isinstance(value, list) and not value


def _equal(read: Any, one: object, other: object) -> bool:  # noqa: ANN401
    try:
        return bool(read(str(one)) == read(str(other)))
    except ValueError:
        return False


def _amount(text: str) -> Decimal:
    """A quantity, also with an exponent, as Kubernetes reads it."""
    try:
        return quantity(text)
    except ValueError:
        pass
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def _duration(text: str) -> Decimal:
    if not re.fullmatch(f"({_PART})+", text):
        raise ValueError(text)
    return sum((Decimal(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text)), Decimal(0))
