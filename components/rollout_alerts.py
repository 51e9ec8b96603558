"""Alerts on what Kubernetes tells of the model's Deployment, and on what runs but should not. Pure functions."""

from collections.abc import Iterator

from components import series
from components.alert import Alert, patience
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName, Severity
from components.recording_rules import model_labels
from components.series import picked
from components.settings import StackSettings


def rollout_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What Kubernetes tells of the Deployment, and whether it runs what the files say."""
    name = model.name
    labels = {"namespace": stack.namespace, "deployment": name}
    desired = picked("kube_deployment_spec_replicas", labels)
    ready = picked("kube_deployment_status_replicas_ready", labels)
    available = picked("kube_deployment_status_replicas_available", labels)
    stuck = picked(
        "kube_deployment_status_condition", {**labels, "condition": "Progressing", "status": "false"}
    )
    yield Alert(
        name=AlertName.NOT_READY,
        severity=Severity.PAGE,
        expression=f"{ready} == 0\nand\n{desired} > 0",
        pending=f"{patience(model)}s",
        summary=f"No replica of {name} is ready",
        description=f"{{{{ $value }}}} of {model.replicas} replicas are ready: nobody is served.",
    )
    yield Alert(
        name=AlertName.REPLICAS_BELOW_DESIRED,
        severity=Severity.TICKET,
        expression=f"{available} < {desired}",
        pending=f"{max(900, patience(model))}s",
        summary=f"{name} has fewer replicas than it should",
        description=f"{{{{ $value }}}} of {model.replicas} replicas are available.",
    )
    yield Alert(
        name=AlertName.ROLLOUT_STUCK,
        severity=Severity.TICKET,
        expression=f"{stuck} == 1",
        pending="5m",
        summary=f"The rollout of {name} is stuck",
        description=(
            "Progressing has been false (value {{ $value }}): no replica became ready within "
            f"{model.rollout.progress_deadline_seconds} s."
        ),
    )
    up = f"{picked(series.REPLICAS_UP, model_labels(model, stack.namespace))} > 0"
    wanted = picked(series.DESIRED_VERSION, model_labels(model, stack.namespace))
    yield Alert(
        name=AlertName.VERSION_MISMATCH,
        severity=Severity.TICKET,
        expression=f"{up}\nunless on (namespace, model, version)\n{wanted}",
        pending=f"{model.rollout_timeout_seconds}s",
        summary=f"{name} serves another version than the stack file names",
        description="{{ $value }} replicas serve {{ $labels.version }}, which is not what Pulumi."
        + stack.stage
        + ".yaml says.",
    )
    scaler = {"namespace": stack.namespace, "horizontalpodautoscaler": name}
    current, most, least = (
        picked(f"kube_horizontalpodautoscaler_{part}", scaler)
        for part in ("status_current_replicas", "spec_max_replicas", "spec_min_replicas")
    )
    yield Alert(
        name=AlertName.AUTOSCALER_AT_MAXIMUM,
        severity=Severity.TICKET,
        expression=f"{current} >= {most}\nand\n{most} > {least}",
        pending="15m",
        summary=f"The autoscaler of {name} cannot scale further",
        description="{{ $value }} replicas run, which is the autoscaler's maximum.",
    )
