"""All alerts of one model, from its settings. Pure functions.

An alert exists only where the runtime measures what it needs; components/monitoring/alerts/coverage.py tells what is
left out and why. Durations that are not explained are kubernetes-mixin's.
"""

from components.monitoring import links
from components.monitoring.alerts.alert import Alert, alerting_rule
from components.monitoring.alerts.burn import burn_alerts
from components.monitoring.alerts.pods import pod_alerts
from components.monitoring.alerts.quality import quality_alerts
from components.monitoring.alerts.rollout import rollout_alerts
from components.monitoring.alerts.serving import serving_alerts
from components.monitoring.recording_rules import INTERVAL, Group
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, Severity


def alert_group(model: ModelSettings, stack: StackSettings) -> Group:
    """The group of alerting rules of one model, those that are switched off left out."""
    name = f"{model.name}.{stack.namespace}.alerts"
    dashboard = links.dashboard_url(stack.monitoring, stack.stage, model.name)
    rules = [
        alerting_rule(
            alert,
            stack,
            severity=_severity(model, alert),
            owner=model.owner,
            dashboard_url=dashboard,
            more={"model": model.name},
        )
        for alert in wanted_alerts(model, stack)
    ]
    return Group(name=name, interval=INTERVAL, rules=rules)


def wanted_alerts(model: ModelSettings, stack: StackSettings) -> list[Alert]:
    """The alerts of one model, those that are switched off left out."""
    off = {name for name, override in model.alerts.items() if not override.enabled}
    return [alert for alert in alerts(model, stack) if alert.name not in off]


def _severity(model: ModelSettings, alert: Alert) -> Severity:
    """The alert's own, unless the model's file changes it."""
    override = model.alerts.get(AlertName(alert.name))
    return (override.severity if override else None) or alert.severity


def alerts(model: ModelSettings, stack: StackSettings) -> list[Alert]:
    """Every alert that the model's runtime and settings allow, also those that are switched off.

    A model of no replicas has only those on its objectives and its quality.
    """
    found = [*burn_alerts(model, stack)]
    if model.replicas > 0:
        found += [*serving_alerts(model, stack), *pod_alerts(model, stack), *rollout_alerts(model, stack)]
    return [*found, *quality_alerts(model, stack)]
