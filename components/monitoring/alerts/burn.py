"""Alerts on objectives whose error budget burns too fast. Pure functions."""

from collections.abc import Iterator, Mapping

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series, slo
from components.monitoring.alerts.alert import Alert
from components.monitoring.recording_rules import INTERVAL_SECONDS, model_labels, objectives
from components.monitoring.series import picked
from components.monitoring.slo import BurnWindow, Objective, plain
from components.settings.model import ModelSettings
from components.settings.watching import AlertName

_NAMES = {
    Objective.AVAILABILITY: AlertName.AVAILABILITY_BUDGET_BURN,
    Objective.LATENCY: AlertName.LATENCY_BUDGET_BURN,
}


def burn_alerts(staged: StagedModel) -> Iterator[Alert]:
    """One alert for each objective and pair of windows, so that it says which one fired."""
    for objective, promised in objectives(staged.model).items():
        for window in slo.WINDOWS:
            yield _burn_alert(staged, objective, promised, window)


def _burn_alert(staged: StagedModel, objective: Objective, promised: str, window: BurnWindow) -> Alert:
    limit, factor = plain(slo.threshold(window, promised)), plain(window.factor)
    labels = {**model_labels(staged), "slo": objective.value}
    conditions = [
        f"{picked(series.SLO_ERROR_RATIO, {**labels, 'window': length})} > {limit}"
        for length in (window.long, window.short)
    ]
    return Alert(
        name=_NAMES[objective],
        severity=window.severity,
        expression="\nand ignoring (window)\n".join([*conditions, _enough(staged.model, window, labels)]),
        pending=window.pending,
        summary=f"{staged.name} uses up its {objective.value} budget {factor} times too fast",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the requests of the last {window.long} were bad; the objective "
            f"of {promised} % allows {plain(100 * slo.budget(promised))} %. At {factor} times that rate the budget "
            f"of {slo.PERIOD_DAYS} days is gone in {window.exhaustion}."
        ),
        labels={
            "slo": objective.value,
            "window": window.long,
            "short_window": window.short,
            "exhaustion": window.exhaustion,
        },
    )


def _enough(model: ModelSettings, window: BurnWindow, labels: Mapping[str, str]) -> str:
    """PromQL with a result when the long window has enough requests that a single bad one does not matter."""
    if window.long in slo.SLOW_WINDOWS:
        counted = f"sum_over_time({picked(series.SLO_REQUESTS_COUNT, labels)}[{window.long}])"
    else:
        rates = f"sum_over_time({picked(series.SLO_REQUESTS, labels)}[{window.long}])"
        counted = f"{INTERVAL_SECONDS} * {rates}"
    return f"{counted} >= {model.slo.minimum_requests}"
