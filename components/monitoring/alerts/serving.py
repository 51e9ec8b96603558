"""Alerts on what the model's own metrics tell. Pure functions."""

from collections.abc import Iterator

from components.monitoring import series
from components.monitoring.alerts.alert import CERTAIN_SECONDS, Alert, patience, threshold
from components.monitoring.alerts.rollout import still_new
from components.monitoring.recording_rules import model_labels, serving_metrics, target_labels
from components.monitoring.series import picked
from components.runtimes.metrics import Load, Loading
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, Severity


def serving_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What the model's own metrics tell."""
    metrics = serving_metrics(model)
    yield _absent(model, stack)
    yield _no_traffic(model, stack)
    yield _target_down(model, stack)
    if metrics.loading is not None:
        yield _load_failed(model, stack, metrics.loading)
    if metrics.load is not None:
        yield _saturated(model, stack, metrics.load)


def saturation_limit(model: ModelSettings, load: Load) -> str:
    """Above how many requests a replica the model is too busy."""
    return threshold(model, AlertName.SATURATED, str(load.limit))


def _up(model: ModelSettings, stack: StackSettings) -> str:
    return picked("up", target_labels(model, stack.namespace))


def _replicas(model: ModelSettings, stack: StackSettings) -> str:
    """The replicas that answer scrapes; nothing where none does."""
    up = picked(series.REPLICAS_UP, model_labels(model, stack.namespace))
    return f"(sum by (namespace) ({up}) > 0)"


def _absent(model: ModelSettings, stack: StackSettings) -> Alert:
    return Alert(
        name=AlertName.ABSENT,
        severity=Severity.PAGE,
        expression=f"absent({_up(model, stack)} == 1)\nunless on ()\n{still_new(model, stack)}",
        pending=f"{CERTAIN_SECONDS}s",
        summary=f"No replica of {model.name} can be scraped",
        description=(
            f"Prometheus reaches none of the {model.replicas} replicas: up == 1 has been absent (value "
            f"{{{{ $value }}}}) for {CERTAIN_SECONDS} s."
        ),
    )


def _no_traffic(model: ModelSettings, stack: StackSettings) -> Alert:
    """Some servers show no series before their first request: a replica without requests counts as none."""
    requests = picked(series.REQUESTS, model_labels(model, stack.namespace))
    return Alert(
        name=AlertName.NO_TRAFFIC,
        severity=Severity.INFO,
        expression=f"(sum by (namespace) ({requests}) or 0 * {_replicas(model, stack)}) == 0",
        pending="1h",
        summary=f"{model.name} has had no request for an hour",
        description="{{ $value }} requests a second arrive; the replicas are up, so look at the clients.",
    )


def _target_down(model: ModelSettings, stack: StackSettings) -> Alert:
    return Alert(
        name=AlertName.TARGET_DOWN,
        severity=Severity.TICKET,
        expression=f"{_up(model, stack)} == 0",
        pending=f"{patience(model)}s",
        summary=f"A replica of {model.name} cannot be scraped",
        description="up is {{ $value }} for {{ $labels.pod }} ({{ $labels.instance }}).",
    )


def _load_failed(model: ModelSettings, stack: StackSettings, loading: Loading) -> Alert:
    targets = target_labels(model, stack.namespace)
    loaded, failures = (picked(name, targets) for name in (loading.loaded, loading.failures))
    return Alert(
        name=AlertName.LOAD_FAILED,
        severity=Severity.TICKET,
        expression=f"{failures} > 0\nand\n{loaded} == 0",
        pending="1m",
        summary=f"A replica of {model.name} cannot load its model",
        description="{{ $labels.pod }} failed to load the model {{ $value }} times and serves none.",
    )


def _saturated(model: ModelSettings, stack: StackSettings, load: Load) -> Alert:
    pending = picked(series.LOAD, model_labels(model, stack.namespace))
    limit, what = saturation_limit(model, load), "wait" if load.waiting else "are at work"
    return Alert(
        name=AlertName.SATURATED,
        severity=Severity.TICKET,
        expression=f"sum by (namespace) ({pending})\n/\n{_replicas(model, stack)}\n> {limit}",
        pending="10m",
        summary=f"{model.name} has more requests than it can answer",
        description=f"{{{{ $value | humanize }}}} requests a replica {what}; the limit is {limit}.",
    )
