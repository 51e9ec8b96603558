"""One alert: what it looks at, and the rule Prometheus gets. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from components import links
from components.model_settings import ModelSettings
from components.recording_rules import Rule
from components.settings import StackSettings
from components.watch_settings import AlertName, Severity

# As long as Prometheus takes to be sure: five minutes of scrapes.
CERTAIN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alerting rule before it gets its model's labels and links.

    `pending` is how long the expression must hold, as Prometheus writes durations.
    """

    name: AlertName
    severity: Severity
    expression: str
    pending: str
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)


def rule(model: ModelSettings, stack: StackSettings, alert: Alert) -> Rule:
    """The alerting rule, with the severity the model's file may have changed."""
    override = model.alerts.get(alert.name)
    severity = (override.severity if override else None) or alert.severity
    return {
        "alert": alert.name.value,
        "expr": alert.expression,
        "for": alert.pending,
        "labels": {
            "severity": severity.value,
            "owner": model.owner,
            "stage": stack.stage,
            "namespace": stack.namespace,
            "model": model.name,
            **alert.labels,
        },
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": links.runbook_url(stack.monitoring, alert.name),
            "dashboard_url": links.dashboard_url(stack.monitoring, stack.stage, model.name),
        },
    }


def threshold(model: ModelSettings, alert: AlertName, default: str) -> str:
    """The number an alert compares with: the model file's, else the default."""
    override = model.alerts.get(alert)
    return (override.threshold if override else None) or default


def patience(model: ModelSettings) -> int:
    """Seconds a new replica may take before it is missed: as long as its start-up probe allows."""
    return max(CERTAIN_SECONDS, model.probes.startup.budget_seconds)
