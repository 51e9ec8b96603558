"""Panels of the objectives: what is left of the error budget and how fast it burns. Pure functions."""

from collections.abc import Mapping

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series, slo
from components.monitoring.dashboards.grafana_sdk import Json, units
from components.monitoring.dashboards.panels import (
    BAD,
    GOOD,
    GRID,
    NARROW,
    WARNING,
    About,
    Limits,
    Query,
    limits,
    number,
    resized,
    time_series,
)
from components.monitoring.recording_rules import model_labels, objectives
from components.monitoring.series import picked
from components.monitoring.slo import Objective, plain
from components.settings.watching import Severity

_PERIOD = f"{slo.PERIOD_DAYS}d"


def objective_panels(staged: StagedModel) -> list[Json]:
    """For each objective that can be measured: the budget left, the ratio reached, and the burn rates."""
    found: list[Json] = []
    for objective, promised in objectives(staged.model).items():
        labels = {**model_labels(staged), "slo": objective.value}
        burn = resized(_burn_rates(objective, promised, labels), GRID - 2 * NARROW)
        found += [_budget_left(objective, labels), _kept(objective, promised, labels), burn]
    return found


def budget_colors() -> Limits:
    """Colours of the budget left: bad below 0, a warning below what an alert lets burn before it fires."""
    burnt = max(window.budget_fraction for window in slo.WINDOWS)
    return limits(BAD, {"0": WARNING, plain(burnt): GOOD})


def _budget_left(objective: Objective, labels: Mapping[str, str]) -> Json:
    return number(
        About(
            title=f"{objective.value.capitalize()} budget left",
            description=(
                f"The fraction of the error budget of {slo.PERIOD_DAYS} days that is left. Below 0 the objective is "
                "missed; orange is less than what an alert lets burn before it fires."
            ),
            unit=units.PercentUnit,
        ),
        Query(expr=f"max({picked(series.SLO_BUDGET_REMAINING, labels)})", legend="left"),
        budget_colors(),
        decimals=1,
    )


def _kept(objective: Objective, promised: str, labels: Mapping[str, str]) -> Json:
    ratio = picked(series.SLO_ERROR_RATIO, {**labels, "window": _PERIOD})
    target = plain(1 - slo.budget(promised))
    return number(
        About(
            title=f"{objective.value.capitalize()} over {slo.PERIOD_DAYS} days",
            description=f"The fraction of good requests in {slo.PERIOD_DAYS} days; the objective is {promised} %.",
            unit=units.PercentUnit,
        ),
        Query(expr=f"1 - max({ratio})", legend="good"),
        limits(BAD, {target: GOOD}),
        # One digit more than the objective has: 99.86 % must not be shown as 99.9 %.
        decimals=len(promised.partition(".")[2]) + 1,
    )


def _burn_rates(objective: Objective, promised: str, labels: Mapping[str, str]) -> Json:
    """The shortest window shows what happens now; the others are those the alerts watch."""
    lengths = [slo.WINDOWS[0].short, *(window.long for window in slo.WINDOWS)]
    budget = plain(slo.budget(promised))
    factors = {
        plain(window.factor): BAD if window.severity is Severity.PAGE else WARNING for window in slo.WINDOWS
    }
    return time_series(
        About(
            title=f"{objective.value.capitalize()} burn rate",
            description=(
                "How many times faster than allowed the error budget burns, over windows of different length. The "
                "lines are the factors of the alerts; each watches its own window."
            ),
        ),
        *(
            Query(
                expr=f"max({picked(series.SLO_ERROR_RATIO, {**labels, 'window': length})}) / {budget}",
                legend=length,
            )
            for length in lengths
        ),
        drawn=limits(GOOD, factors),
    )
