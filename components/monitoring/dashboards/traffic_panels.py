"""Panels of the model's own metrics. Pure functions.

What the runtime does not measure has no panel. The lines are the thresholds of the alerts.
"""

from decimal import Decimal

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series, slo
from components.monitoring.alerts.serving import saturation_limit
from components.monitoring.dashboards.grafana_sdk import Json, units
from components.monitoring.dashboards.panels import BAD, GOOD, About, Query, limits, time_series
from components.monitoring.recording_rules import latency_histogram, model_labels, objectives, serving_metrics
from components.monitoring.series import picked
from components.monitoring.slo import Objective, plain
from components.settings.model import ModelSettings
from components.settings.quantities import seconds


def traffic_panels(staged: StagedModel, of_version: str) -> list[Json]:
    """Requests, errors, durations and load, of the versions that `of_version` matches; none without metrics."""
    if not staged.model.metrics.enabled:
        return []
    labels, metrics = model_labels(staged), serving_metrics(staged.model)
    requests, errors, load, replicas = (
        picked(name, labels, of_version)
        for name in (series.REQUESTS, series.ERRORS, series.LOAD, series.REPLICAS_UP)
    )
    found = [
        time_series(
            About(
                title="Requests",
                description="Requests a second by version, averaged over 5 minutes.",
                unit=units.RequestsPerSecond,
            ),
            Query(expr=f"sum by (version) ({requests})", legend="{{version}}"),
        )
    ]
    if metrics.errors is not None:
        found.append(
            _error_ratio(staged.model, f"sum by (version) ({errors})", f"sum by (version) ({requests})")
        )
    if metrics.latency is not None:
        found.append(_duration(staged, of_version))
    if metrics.load is not None:
        what = "waiting" if metrics.load.waiting else "in progress"
        found.append(
            time_series(
                About(
                    title="Pending requests per replica",
                    description=f"Requests {what}, for each replica that is up. Above the line it is too busy.",
                ),
                Query(expr=f"sum({load})\n/\n(sum({replicas}) > 0)", legend="requests a replica"),
                drawn=limits(GOOD, {saturation_limit(staged.model, metrics.load): BAD}),
            )
        )
    return found


def _error_ratio(model: ModelSettings, errors: str, requests: str) -> Json:
    promised = objectives(model).get(Objective.AVAILABILITY)
    quickest = slo.WINDOWS[0]
    text = "The fraction of requests that failed in the server, by version, over 5 minutes."
    if promised is not None:
        text += f" Above the line the error budget burns {plain(quickest.factor)} times too fast."
    return time_series(
        About(title="Errors", description=text, unit=units.PercentUnit),
        Query(expr=f"{errors}\n/\n({requests} > 0)", legend="{{version}}"),
        drawn=None if promised is None else limits(GOOD, {plain(slo.threshold(quickest, promised)): BAD}),
    )


def _duration(staged: StagedModel, of_version: str) -> Json:
    labels, latency = model_labels(staged), staged.model.slo.latency
    if latency_histogram(staged.model) is None:
        return time_series(
            About(
                title="Duration",
                description="The mean time from request to answer by version; this runtime does not measure quantiles.",
                unit=units.Seconds,
            ),
            Query(
                expr=f"max by (version) ({picked(series.DURATION_MEAN, labels, of_version)})",
                legend="mean {{version}}",
            ),
        )
    text = "The time within which the given percentage of requests is answered, by version, over 5 minutes."
    if latency is not None:
        text += f" The objective is to answer {latency.objective} % within the time of the line."
    queries = [
        Query(
            expr=f"max by (version) ({picked(series.DURATION_QUANTILE, {**labels, 'quantile': q}, of_version)})",
            legend=f"{plain(100 * Decimal(q))} % {{{{version}}}}",
        )
        for q in series.QUANTILES
    ]
    return time_series(
        About(title="Duration", description=text, unit=units.Seconds),
        *queries,
        drawn=None if latency is None else limits(GOOD, {plain(seconds(latency.threshold)): BAD}),
    )
