"""Alerts on the model's own metrics. Pure functions."""

from collections.abc import Iterator

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series
from components.monitoring.alerts.alert import CERTAIN_SECONDS, Alert, patience, threshold
from components.monitoring.alerts.rollout import still_new
from components.monitoring.recording_rules import model_labels, serving_metrics, target_labels
from components.monitoring.series import picked
from components.runtimes.metrics import Load, Loading
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, Severity


def serving_alerts(staged: StagedModel) -> Iterator[Alert]:
    """The alerts on the model's own metrics; none where it has none."""
    if not staged.model.metrics.enabled:
        return
    metrics = serving_metrics(staged.model)
    yield _absent(staged)
    yield _no_traffic(staged)
    yield _target_down(staged)
    if metrics.loading is not None:
        yield _load_failed(staged, metrics.loading)
    if metrics.load is not None:
        yield _saturated(staged, metrics.load)


def saturation_limit(model: ModelSettings, load: Load) -> str:
    """The number of requests per replica above which the model is too busy."""
    return threshold(model, AlertName.SATURATED, str(load.limit))


def _up(staged: StagedModel) -> str:
    return picked("up", target_labels(staged))


def _replicas(staged: StagedModel) -> str:
    """The replicas that answer scrapes; nothing where none does."""
    up = picked(series.REPLICAS_UP, model_labels(staged))
    return f"(sum by (namespace) ({up}) > 0)"


def _absent(staged: StagedModel) -> Alert:
    return Alert(
        name=AlertName.ABSENT,
        severity=Severity.PAGE,
        expression=f"absent({_up(staged)} == 1)\nunless on ()\n{still_new(staged)}",
        pending=f"{CERTAIN_SECONDS}s",
        summary=f"No replica of {staged.name} can be scraped",
        description=(
            f"Prometheus reaches none of the {staged.model.replicas} replicas: up == 1 has been absent (value "
            f"{{{{ $value }}}}) for {CERTAIN_SECONDS} s."
        ),
    )


def _no_traffic(staged: StagedModel) -> Alert:
    """Some servers show no series before their first request: a replica without requests counts as none."""
    requests = picked(series.REQUESTS, model_labels(staged))
    return Alert(
        name=AlertName.NO_TRAFFIC,
        severity=Severity.INFO,
        expression=f"(sum by (namespace) ({requests}) or 0 * {_replicas(staged)}) == 0",
        pending="1h",
        summary=f"{staged.name} has had no request for an hour",
        description="{{ $value }} requests a second arrive; the replicas are up, so check the clients.",
    )


def _target_down(staged: StagedModel) -> Alert:
    return Alert(
        name=AlertName.TARGET_DOWN,
        severity=Severity.TICKET,
        expression=f"{_up(staged)} == 0",
        pending=f"{patience(staged.model)}s",
        summary=f"A replica of {staged.name} cannot be scraped",
        description="up is {{ $value }} for {{ $labels.pod }} ({{ $labels.instance }}).",
    )


def _load_failed(staged: StagedModel, loading: Loading) -> Alert:
    targets = target_labels(staged)
    loaded, failures = (picked(name, targets) for name in (loading.loaded, loading.failures))
    return Alert(
        name=AlertName.LOAD_FAILED,
        severity=Severity.TICKET,
        expression=f"{failures} > 0\nand\n{loaded} == 0",
        pending="1m",
        summary=f"A replica of {staged.name} cannot load its model",
        description="{{ $labels.pod }} failed to load the model {{ $value }} times and serves none.",
    )


def _saturated(staged: StagedModel, load: Load) -> Alert:
    pending = picked(series.LOAD, model_labels(staged))
    limit, what = saturation_limit(staged.model, load), "wait" if load.waiting else "are in progress"
    return Alert(
        name=AlertName.SATURATED,
        severity=Severity.TICKET,
        expression=f"sum by (namespace) ({pending})\n/\n{_replicas(staged)}\n> {limit}",
        pending="10m",
        summary=f"{staged.name} has more requests than it can handle",
        description=f"{{{{ $value | humanize }}}} requests per replica {what}; the limit is {limit}.",
    )
