"""Alerts on what the model's own metrics tell. Pure functions."""

from collections.abc import Iterator

from components import series
from components.alert import Alert, patience, threshold
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName, Severity
from components.recording_rules import model_labels, serving_metrics, target_labels
from components.runtimes import Load
from components.series import picked
from components.settings import StackSettings


def serving_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What the model's own metrics tell."""
    name = model.name
    labels, targets = model_labels(model, stack.namespace), target_labels(model, stack.namespace)
    up, metrics = picked("up", targets), serving_metrics(model)
    replicas = f"sum by (namespace) ({picked(series.REPLICAS_UP, labels)})"
    yield Alert(
        name=AlertName.ABSENT,
        severity=Severity.PAGE,
        expression=f"absent({up} == 1)",
        pending=f"{patience(model)}s",
        summary=f"No replica of {name} can be scraped",
        description=(
            f"Prometheus reaches none of the {model.replicas} replicas: up == 1 has been absent (value "
            f"{{{{ $value }}}}) for {patience(model)} s."
        ),
    )
    yield Alert(
        name=AlertName.NO_TRAFFIC,
        severity=Severity.INFO,
        expression=f"(sum by (namespace) ({picked(series.REQUESTS, labels)}) or 0 * {replicas}) == 0",
        pending="1h",
        summary=f"{name} has had no request for an hour",
        description="{{ $value }} requests a second arrive; the replicas are up, so look at the clients.",
    )
    yield Alert(
        name=AlertName.TARGET_DOWN,
        severity=Severity.TICKET,
        expression=f"{up} == 0",
        pending=f"{patience(model)}s",
        summary=f"A replica of {name} cannot be scraped",
        description="up is {{ $value }} for {{ $labels.pod }} ({{ $labels.instance }}).",
    )
    if metrics.loading is not None:
        loaded, failures = (picked(m, targets) for m in (metrics.loading.loaded, metrics.loading.failures))
        yield Alert(
            name=AlertName.LOAD_FAILED,
            severity=Severity.TICKET,
            expression=f"{failures} > 0\nand\n{loaded} == 0",
            pending="1m",
            summary=f"A replica of {name} cannot load its model",
            description="{{ $labels.pod }} failed to load the model {{ $value }} times and serves none.",
        )
    if metrics.load is not None:
        limit = saturation_limit(model, metrics.load)
        what = "wait" if metrics.load.waiting else "are at work"
        yield Alert(
            name=AlertName.SATURATED,
            severity=Severity.TICKET,
            expression=f"sum by (namespace) ({picked(series.LOAD, labels)})\n/\n({replicas} > 0)\n> {limit}",
            pending="10m",
            summary=f"{name} has more requests than it can answer",
            description=f"{{{{ $value | humanize }}}} requests a replica {what}; the limit is {limit}.",
        )


def saturation_limit(model: ModelSettings, load: Load) -> str:
    """Above how many requests a replica the model is too busy."""
    return threshold(model, AlertName.SATURATED, str(load.limit))
