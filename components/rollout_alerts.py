"""Alerts on what Kubernetes tells of the model's Deployment, and on what runs but should not. Pure functions."""

from collections.abc import Iterator

from components import series
from components.alert import Alert, patience
from components.kube_state import autoscaler, deployment
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName, Severity
from components.recording_rules import model_labels
from components.series import picked
from components.settings import StackSettings


def rollout_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What Kubernetes tells of the Deployment, and whether it runs what the files say."""
    yield _not_ready(model, stack)
    yield _replicas_below_desired(model, stack)
    yield _rollout_stuck(model, stack)
    yield _version_mismatch(model, stack)
    yield _autoscaler_at_maximum(model, stack)


def still_new(model: ModelSettings, stack: StackSettings) -> str:
    """The age of the model's Deployment in seconds, while its first replicas may still load."""
    return f"time() - {deployment(model, stack, 'created')} < {patience(model)}"


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
        pending=f"{max(900, patience(model))}s",
        summary=f"{model.name} has fewer replicas than it should",
        description=f"{{{{ $value }}}} of {model.replicas} replicas are available.",
    )


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
