"""Alerts on the gauges of model quality that a model's file names. Pure functions."""

from collections.abc import Iterator

from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.alert import Alert
from components.monitoring.recording_rules import target_labels
from components.monitoring.series import picked
from components.monitoring.slo import plain
from components.settings.quantities import seconds
from components.settings.watching import AlertName, Direction, QualityGauge, QualityKind, Severity

_NAMES = {
    QualityKind.DRIFT: AlertName.DRIFT,
    QualityKind.DATA_QUALITY: AlertName.DATA_QUALITY,
    QualityKind.STALENESS: AlertName.STALE,
}
_SIGNS = {"above": ">", "below": "<"}


def quality_alerts(staged: StagedModel) -> Iterator[Alert]:
    """Two alerts for each quality gauge of the model, in the order of their names: it is bad, or it is absent."""
    for name, gauge in sorted(staged.model.quality.items()):
        yield _bad(staged, name, gauge)
        # A model without replicas exposes none of its own gauges.
        if staged.model.replicas > 0 or gauge.labels:
            yield _absent(staged, name, gauge)


def _bad(staged: StagedModel, name: str, gauge: QualityGauge) -> Alert:
    if gauge.kind is QualityKind.STALENESS:
        summary, what = "is too old", f"{gauge.metric} is {{{{ $value | humanizeDuration }}}} ago"
    else:
        summary, what = "is beyond its threshold", f"{gauge.metric} is {{{{ $value | humanize }}}}"
    side = (gauge.direction or Direction.ABOVE).value
    return Alert(
        name=_NAMES[gauge.kind],
        severity=Severity.TICKET,
        expression=f"{quality_value(staged, gauge)} {_SIGNS[side]} {gauge.threshold}",
        pending=_duration(gauge),
        summary=f"{staged.name}: {name} {summary}",
        description=f"{what}; it is bad {side} {gauge.threshold}.",
        labels={"gauge": name},
    )


def _absent(staged: StagedModel, name: str, gauge: QualityGauge) -> Alert:
    return Alert(
        name=AlertName.QUALITY_GAUGE_ABSENT,
        severity=Severity.TICKET,
        expression=f"absent({_gauge(staged, gauge)})",
        pending="1h",
        summary=f"{staged.name}: nothing measures {name}",
        description=f"{gauge.metric} has been absent for an hour (value {{{{ $value }}}}): check its job.",
        labels={"gauge": name},
    )


def quality_value(staged: StagedModel, gauge: QualityGauge) -> str:
    """What is compared with the gauge's threshold: the gauge, or its age where it is a time.

    Of several series, such as one per replica, the worst counts: the alert is about the model.
    """
    value = _gauge(staged, gauge)
    if gauge.kind is QualityKind.STALENESS:
        return f"time() - min({value})"
    worst = "min" if gauge.direction is Direction.BELOW else "max"
    return f"{worst}({value})"


def _gauge(staged: StagedModel, gauge: QualityGauge) -> str:
    own = target_labels(staged)
    return picked(gauge.metric, {"namespace": staged.namespace, **gauge.labels} if gauge.labels else own)


def _duration(gauge: QualityGauge) -> str:
    """Prometheus accepts only whole numbers; in milliseconds every duration of the files is one."""
    whole = seconds(gauge.period)
    return f"{plain(whole)}s" if whole == int(whole) else f"{plain(whole * 1000)}ms"
