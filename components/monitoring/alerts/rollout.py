"""Alerts on what Kubernetes tells of the model's Deployment, and on what runs but should not. Pure functions."""

from collections.abc import Iterator

from components.monitoring import series
from components.monitoring.alerts.alert import Alert, patience
from components.monitoring.kube_state import autoscaler, deployment, deployment_series
from components.monitoring.recording_rules import model_labels
from components.monitoring.series import picked
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, Severity

_MISSING_SECONDS = 900


def rollout_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What Kubernetes tells of the Deployment, and whether it runs what the files say."""
    yield _not_ready(model, stack)
    yield _replicas_below_desired(model, stack)
    yield _rollout_stuck(model, stack)
    yield _version_mismatch(model, stack)
    yield _autoscaler_at_maximum(model, stack)
    yield _state_absent(model, stack)


def still_new(model: ModelSettings, stack: StackSettings) -> str:
    """Something while the model's first replicas may still load: its Deployment is new, or was stopped until now."""
    created = f"time() - {deployment(model, stack, 'created')} < {patience(model)}"
    desired = deployment_series(model, stack, "spec_replicas")
    stopped = f"min by (namespace, deployment) (min_over_time({desired}[{patience(model)}s])) == 0"
    return f"({created} or {stopped})"


def _not_ready(model: ModelSettings, stack: StackSettings) -> Alert:
    ready, desired = (
        deployment(model, stack, metric) for metric in ("status_replicas_ready", "spec_replicas")
    )
    return Alert(
        name=AlertName.NOT_READY,
        severity=Severity.PAGE,
        expression=f"{ready} == 0\nand\n{desired} > 0\nunless\n{still_new(model, stack)}",
        pending="2m",
        summary=f"No replica of {model.name} is ready",
        description=f"{{{{ $value }}}} of {model.replicas} replicas are ready: nobody is served.",
    )


def _replicas_below_desired(model: ModelSettings, stack: StackSettings) -> Alert:
    available, desired = (
        deployment(model, stack, metric) for metric in ("status_replicas_available", "spec_replicas")
    )
    return Alert(
        name=AlertName.REPLICAS_BELOW_DESIRED,
        severity=Severity.TICKET,
        expression=f"{available} < {desired}",
        pending=f"{_missing_seconds(model)}s",
        summary=f"{model.name} has fewer replicas than it should",
        description=f"{{{{ $value }}}} of {model.replicas} replicas are available.",
    )


def _missing_seconds(model: ModelSettings) -> int:
    """How long replicas may be missing; a roll that is allowed to take some away may take its whole time."""
    rolling = model.rollout_timeout_seconds if model.rollout.max_unavailable else 0
    return max(_MISSING_SECONDS, patience(model), rolling)


def _rollout_stuck(model: ModelSettings, stack: StackSettings) -> Alert:
    stuck = deployment(model, stack, "status_condition", condition="Progressing", status="false")
    return Alert(
        name=AlertName.ROLLOUT_STUCK,
        severity=Severity.TICKET,
        expression=f"{stuck} == 1",
        pending="5m",
        summary=f"The rollout of {model.name} is stuck",
        description=(
            "Progressing has been false (value {{ $value }}): no replica became ready within "
            f"{model.rollout.progress_deadline_seconds} s."
        ),
    )


def _version_mismatch(model: ModelSettings, stack: StackSettings) -> Alert:
    up = picked(series.REPLICAS_UP, model_labels(model, stack.namespace))
    wanted = picked(series.DESIRED_VERSION, model_labels(model, stack.namespace))
    return Alert(
        name=AlertName.VERSION_MISMATCH,
        severity=Severity.TICKET,
        expression=f"{up} > 0\nunless on (namespace, model, version)\n{wanted}",
        pending=f"{model.rollout_timeout_seconds}s",
        summary=f"{model.name} serves another version than the stack file names",
        description=(
            "{{ $value }} replicas serve {{ $labels.version }}, which is not what "
            f"Pulumi.{stack.stage}.yaml says."
        ),
    )


def _autoscaler_at_maximum(model: ModelSettings, stack: StackSettings) -> Alert:
    current, most, least = (
        autoscaler(model, stack, metric)
        for metric in ("status_current_replicas", "spec_max_replicas", "spec_min_replicas")
    )
    return Alert(
        name=AlertName.AUTOSCALER_AT_MAXIMUM,
        severity=Severity.TICKET,
        expression=f"{current} >= {most}\nand\n{most} > {least}",
        pending="15m",
        summary=f"The autoscaler of {model.name} cannot scale further",
        description="{{ $value }} replicas run, which is the autoscaler's maximum.",
    )


def _state_absent(model: ModelSettings, stack: StackSettings) -> Alert:
    """Without kube-state-metrics every alert on pods and rollouts is mute."""
    return Alert(
        name=AlertName.KUBERNETES_STATE_ABSENT,
        severity=Severity.TICKET,
        expression=f"absent({deployment_series(model, stack, 'spec_replicas')})",
        pending="15m",
        summary=f"Nobody tells how the Deployment of {model.name} is",
        description=(
            "kube_deployment_spec_replicas is absent (value {{ $value }}): kube-state-metrics is away or not "
            "scraped, or the Deployment is gone."
        ),
    )
