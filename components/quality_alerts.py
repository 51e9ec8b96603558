"""Alerts on the gauges of model quality that a model's file names. Pure functions."""

from collections.abc import Iterator

from components.alert import Alert
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName, Direction, QualityGauge, QualityKind, Severity
from components.quantities import seconds
from components.recording_rules import target_labels
from components.series import picked
from components.settings import StackSettings
from components.slo import plain

_NAMES = {
    QualityKind.DRIFT: AlertName.DRIFT,
    QualityKind.DATA_QUALITY: AlertName.DATA_QUALITY,
    QualityKind.STALENESS: AlertName.STALE,
}


def quality_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """One alert for each gauge of quality the model names, in the order of their names."""
    for name, gauge in sorted(model.quality.items()):
        stale = gauge.kind is QualityKind.STALENESS
        sign = "<" if gauge.direction is Direction.BELOW else ">"
        yield Alert(
            name=_NAMES[gauge.kind],
            severity=Severity.TICKET,
            expression=f"{quality_value(model, stack, gauge)} {sign} {gauge.threshold}",
            pending=_duration(gauge),
            summary=f"{model.name}: {name} is {'too old' if stale else 'beyond its threshold'}",
            description=(
                f"{gauge.metric} is {{{{ $value | {'humanizeDuration' if stale else 'humanize'} }}}}; "
                f"it is bad {'above' if sign == '>' else 'below'} {gauge.threshold}."
            ),
            labels={"gauge": name},
        )


def quality_value(model: ModelSettings, stack: StackSettings, gauge: QualityGauge) -> str:
    """What is compared with the gauge's threshold: the gauge, or its age where it is a time."""
    own = target_labels(model, stack.namespace)
    value = picked(gauge.metric, {"namespace": stack.namespace, **gauge.labels} if gauge.labels else own)
    return f"time() - {value}" if gauge.kind is QualityKind.STALENESS else value


def _duration(gauge: QualityGauge) -> str:
    """Prometheus takes whole numbers only: milliseconds hold every duration of the files."""
    whole = seconds(gauge.period)
    return f"{plain(whole)}s" if whole == int(whole) else f"{plain(whole * 1000)}ms"
