"""One alert: its expression, and the rule for Prometheus. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from components.monitoring import links
from components.monitoring.recording_rules import Rule
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, Severity

# The shortest time in which Prometheus can be sure: five minutes of scrapes.
CERTAIN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alerting rule before it gets its model's labels and links.

    `pending` is how long the expression must hold, as Prometheus writes durations.
    """

    name: StrEnum
    severity: Severity
    expression: str
    pending: str
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)


def alerting_rule(
    alert: Alert,
    stack: StackSettings,
    *,
    severity: Severity,
    owner: str,
    dashboard_url: str,
    more: Mapping[str, str] | None = None,
) -> Rule:
    """The rule for Prometheus.

    Args:
        alert: Its expression and texts.
        stack: The stage.
        severity: How soon someone must look.
        owner: The team that is notified.
        dashboard_url: The dashboard with more.
        more: Further labels, or others than the stage's.
    """
    return {
        "alert": alert.name.value,
        "expr": alert.expression,
        "for": alert.pending,
        "labels": {
            "severity": severity.value,
            "owner": owner,
            "stage": stack.stage,
            "namespace": stack.namespace,
            **(more or {}),
            **alert.labels,
        },
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": links.runbook_url(stack.monitoring, alert.name),
            "dashboard_url": dashboard_url,
        },
    }


def threshold(model: ModelSettings, alert: AlertName, default: str) -> str:
    """The threshold of an alert: the model file's, else the default."""
    override = model.alerts.get(alert)
    return (override.threshold if override else None) or default


def patience(model: ModelSettings) -> int:
    """Seconds that a new replica may take before it counts as missing: as long as its startup probe allows."""
    return max(CERTAIN_SECONDS, model.probes.startup.budget_seconds)
