"""Service level objectives as burn-rate windows and exact PromQL. Pure functions.

The method is that of the SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts" (table 5-8). The 1 day window
and the `for` times are kubernetes-mixin's. Thresholds are exact decimals: 14.4 x (1 - 0.999) is 0.0144.
"""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from functools import cached_property, lru_cache

from components.settings.watching import Severity

PERIOD_DAYS = 30


class Objective(StrEnum):
    """What an objective is about: that requests do not fail, or that they are answered in time."""

    AVAILABILITY = "availability"
    LATENCY = "latency"


@dataclass(frozen=True, kw_only=True)
class BurnWindow:
    """One pair of windows: the long one shows that the budget burns, the short one that it still does.

    Attributes:
        long: The long window, as Prometheus writes it; `long_hours` is the same in hours.
        short: A twelfth of it.
        budget_fraction: The fraction of the period's budget that is gone when the alert fires at this rate.
        pending: How long both must burn before the alert fires.
    """

    long: str
    long_hours: int
    short: str
    budget_fraction: Decimal
    severity: Severity
    pending: str

    @cached_property
    def factor(self) -> Decimal:
        """The burn rate that uses up `budget_fraction` of the period's budget within the long window."""
        return self.budget_fraction * (PERIOD_DAYS * 24) / self.long_hours

    @cached_property
    def exhaustion(self) -> str:
        """How long the whole budget lasts at this rate, in hours: `50h`."""
        return f"{plain(PERIOD_DAYS * 24 / self.factor)}h"


WINDOWS = (
    BurnWindow(
        long="1h",
        long_hours=1,
        short="5m",
        budget_fraction=Decimal("0.02"),
        severity=Severity.PAGE,
        pending="2m",
    ),
    BurnWindow(
        long="6h",
        long_hours=6,
        short="30m",
        budget_fraction=Decimal("0.05"),
        severity=Severity.PAGE,
        pending="15m",
    ),
    BurnWindow(
        long="1d",
        long_hours=24,
        short="2h",
        budget_fraction=Decimal("0.1"),
        severity=Severity.TICKET,
        pending="1h",
    ),
    BurnWindow(
        long="3d",
        long_hours=72,
        short="6h",
        budget_fraction=Decimal("0.1"),
        severity=Severity.TICKET,
        pending="3h",
    ),
)
# Summed from rates at the interval of the rules, and from counts of 2 minutes.
QUICK_WINDOWS = ("30m", "1h", "2h", "6h")
SLOW_WINDOWS = ("1d", "3d", f"{PERIOD_DAYS}d")


@lru_cache(maxsize=256)
def budget(objective: str) -> Decimal:
    """The fraction of requests that may be bad: `99.9` leaves 0.001."""
    return 1 - Decimal(objective) / 100


def threshold(window: BurnWindow, objective: str) -> Decimal:
    """The error ratio above which the budget burns too fast for this window."""
    return window.factor * budget(objective)


def refusal(objective: str) -> tuple[str, str] | None:
    """Why an objective cannot be watched, and what to do; None when it can.

    A ratio is at most 1, so a threshold of 1 or more never fires: 14.4 x (1 - objective) must stay below 1, which needs
    an objective of 93.06 % or more.
    """
    quickest = max(WINDOWS, key=lambda window: window.factor)
    needed = threshold(quickest, objective)
    if needed < 1:
        return None
    lowest = (100 * (1 - 1 / quickest.factor)).quantize(Decimal("0.01"), ROUND_UP)
    return (
        f"can never fire: its fastest alert needs an error ratio of {plain(needed)}, and no ratio is above 1",
        f"write an objective of {lowest} or more, or remove it",
    )


def plain(number: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
