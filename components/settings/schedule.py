"""Schedules of CronJobs: cron expressions as Kubernetes reads them, and how often they run. Pure functions."""

import re
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

from components.settings.wrong import wrong

_FIELDS = 5
_MUST = "must be a cron expression of five fields"
_FIX = "write minute, hour, day of month, month and day of week, like */10 * * * *"
# What cronsim accepts and Kubernetes does not: last days, n-th weekdays and Sunday as 7.
_UNKNOWN = re.compile(r"[L#W]|7")
# A leap year, so that every day of every month occurs; schedules are in UTC and have no other irregular days.
_FROM = datetime(2024, 1, 1)
_RUNS = 500


def _cron_line(text: str) -> str:
    fields = text.split()
    if len(fields) != _FIELDS:
        raise wrong(f"has {len(fields)} fields; it {_MUST}", _FIX)
    weekdays = re.sub("JUL|WED", "", fields[-1].upper())
    if re.search(r"[L#]|LW", fields[2].upper()) or _UNKNOWN.search(weekdays.split("/")[0]):
        raise wrong(
            "uses L, W, # or 7 for Sunday, which Kubernetes does not accept",
            "write days as numbers; Sunday is 0",
        )
    try:
        next(CronSim(text, _FROM))
    except (CronSimError, StopIteration) as error:
        raise wrong(f"{_reason(error)}; it {_MUST}", _FIX) from None
    return text


def _reason(error: Exception) -> str:
    return str(error).replace("Bad", "has no valid") if isinstance(error, CronSimError) else "never comes"


def longest_pause(schedule: str) -> timedelta:
    """The longest time between two of the first 500 runs of a valid schedule."""
    runs = islice(CronSim(schedule, _FROM), _RUNS)
    return max(later - earlier for earlier, later in pairwise(runs))


CronLine = Annotated[str, AfterValidator(_cron_line)]
