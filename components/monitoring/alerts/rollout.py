"""Alerts on the state of the model's Deployment in Kubernetes, and on what runs but should not. Pure functions."""

from collections.abc import Iterator

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series
from components.monitoring.alerts.alert import Alert, patience
from components.monitoring.kube_state import autoscaler, deployment, deployment_series
from components.monitoring.recording_rules import model_labels
from components.monitoring.series import picked
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, Severity

_MISSING_SECONDS = 900


def rollout_alerts(staged: StagedModel) -> Iterator[Alert]:
    """The alerts on the Deployment's state in Kubernetes, and on whether it runs what the files say."""
    yield _not_ready(staged)
    yield _replicas_below_desired(staged)
    yield _rollout_stuck(staged)
    if staged.model.metrics.enabled:
        yield _version_mismatch(staged)
    yield _autoscaler_at_maximum(staged)
    yield _state_absent(staged)


def still_new(staged: StagedModel) -> str:
    """PromQL with a result while the model's first replicas may still load: its Deployment is new, or was stopped."""
    created = f"time() - {deployment(staged, 'created')} < {patience(staged.model)}"
    desired = deployment_series(staged, "spec_replicas")
    stopped = f"min by (namespace, deployment) (min_over_time({desired}[{patience(staged.model)}s])) == 0"
    return f"({created} or {stopped})"


def _not_ready(staged: StagedModel) -> Alert:
    ready, desired = (deployment(staged, metric) for metric in ("status_replicas_ready", "spec_replicas"))
    return Alert(
        name=AlertName.NOT_READY,
        severity=Severity.PAGE,
        expression=f"{ready} == 0\nand\n{desired} > 0\nunless\n{still_new(staged)}",
        pending="2m",
        summary=f"No replica of {staged.name} is ready",
        description=f"{{{{ $value }}}} of {staged.model.replicas} replicas are ready: no client is served.",
    )


def _replicas_below_desired(staged: StagedModel) -> Alert:
    available, desired = (
        deployment(staged, metric) for metric in ("status_replicas_available", "spec_replicas")
    )
    return Alert(
        name=AlertName.REPLICAS_BELOW_DESIRED,
        severity=Severity.TICKET,
        expression=f"{available} < {desired}",
        pending=f"{_missing_seconds(staged.model)}s",
        summary=f"{staged.name} has fewer replicas than it should",
        description=f"{{{{ $value }}}} of {staged.model.replicas} replicas are available.",
    )


def _missing_seconds(model: ModelSettings) -> int:
    """How long replicas may be missing; a rollout that may remove some of them may take its whole time."""
    rolling = model.rollout_timeout_seconds if model.rollout.max_unavailable else 0
    return max(_MISSING_SECONDS, patience(model), rolling)


def _rollout_stuck(staged: StagedModel) -> Alert:
    stuck = deployment(staged, "status_condition", condition="Progressing", status="false")
    return Alert(
        name=AlertName.ROLLOUT_STUCK,
        severity=Severity.TICKET,
        expression=f"{stuck} == 1",
        pending="5m",
        summary=f"The rollout of {staged.name} is stuck",
        description=(
            "Progressing has been false (value {{ $value }}): no replica became ready within "
            f"{staged.model.rollout.progress_deadline_seconds} s."
        ),
    )


def _version_mismatch(staged: StagedModel) -> Alert:
    up = picked(series.REPLICAS_UP, model_labels(staged))
    wanted = picked(series.DESIRED_VERSION, model_labels(staged))
    return Alert(
        name=AlertName.VERSION_MISMATCH,
        severity=Severity.TICKET,
        expression=f"{up} > 0\nunless on (namespace, model, version)\n{wanted}",
        pending=f"{staged.model.rollout_timeout_seconds}s",
        summary=f"{staged.name} serves another version than the stack file names",
        description=(
            "{{ $value }} replicas serve {{ $labels.version }}, which is not what "
            f"Pulumi.{staged.stage}.yaml says."
        ),
    )


def _autoscaler_at_maximum(staged: StagedModel) -> Alert:
    current, most, least = (
        autoscaler(staged, metric)
        for metric in ("status_current_replicas", "spec_max_replicas", "spec_min_replicas")
    )
    return Alert(
        name=AlertName.AUTOSCALER_AT_MAXIMUM,
        severity=Severity.TICKET,
        expression=f"{current} >= {most}\nand\n{most} > {least}",
        pending="15m",
        summary=f"The autoscaler of {staged.name} cannot scale further",
        description="{{ $value }} replicas run, which is the autoscaler's maximum.",
    )


def _state_absent(staged: StagedModel) -> Alert:
    """Without kube-state-metrics no alert on pods and rollouts can fire."""
    return Alert(
        name=AlertName.KUBERNETES_STATE_ABSENT,
        severity=Severity.TICKET,
        expression=f"absent({deployment_series(staged, 'spec_replicas')})",
        pending="15m",
        summary=f"The state of the Deployment of {staged.name} is not reported",
        description=(
            "kube_deployment_spec_replicas is absent (value {{ $value }}): kube-state-metrics is down or not "
            "scraped, or the Deployment is gone."
        ),
    )
