"""All alerts of one model, from its settings. Pure functions.

An alert exists only where the runtime measures what it needs; components/monitoring/alerts/coverage.py says what is
left out and why. Durations without an explanation are kubernetes-mixin's.
"""

from components.kubernetes.staged_model import StagedModel
from components.monitoring import links
from components.monitoring.alerts.alert import Alert, alerting_rule
from components.monitoring.alerts.burn import burn_alerts
from components.monitoring.alerts.pods import pod_alerts
from components.monitoring.alerts.quality import quality_alerts
from components.monitoring.alerts.rollout import rollout_alerts
from components.monitoring.alerts.serving import serving_alerts
from components.monitoring.recording_rules import INTERVAL, Group
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, Severity


def alert_group(staged: StagedModel) -> Group:
    """The group of alerting rules of one model, without those that are switched off."""
    name = f"{staged.name}.{staged.namespace}.alerts"
    dashboard = links.dashboard_url(staged.stack.monitoring, staged.stage, staged.name)
    rules = [
        alerting_rule(
            alert,
            staged.stack,
            severity=_severity(staged.model, alert),
            owner=staged.model.owner,
            dashboard_url=dashboard,
            more={"namespace": staged.namespace, "model": staged.name},
        )
        for alert in wanted_alerts(staged)
    ]
    return Group(name=name, interval=INTERVAL, rules=rules)


def wanted_alerts(staged: StagedModel) -> list[Alert]:
    """The alerts of one model, without those that are switched off."""
    off = {name for name, override in staged.model.alerts.items() if not override.enabled}
    return [alert for alert in alerts(staged) if alert.name not in off]


def _severity(model: ModelSettings, alert: Alert) -> Severity:
    """The alert's own severity, unless the model's file changes it."""
    override = model.alerts.get(AlertName(alert.name))
    return (override.severity if override else None) or alert.severity


def alerts(staged: StagedModel) -> list[Alert]:
    """Every alert that the model's runtime and settings allow, including those that are switched off.

    A model without replicas has only those on its objectives and its quality.
    """
    found = [*burn_alerts(staged)]
    if staged.model.replicas > 0:
        found += [*serving_alerts(staged), *pod_alerts(staged), *rollout_alerts(staged)]
    return [*found, *quality_alerts(staged)]
