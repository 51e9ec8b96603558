"""Every rule of a model, and how large they are together. Pure functions."""

import json

from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.model import alert_group
from components.monitoring.recording_rules import Group, recording_groups
from components.settings.monitoring import MonitoringDelivery

# The bytes that one object may hold: prometheus-operator refuses larger rules, the API server larger ConfigMaps.
SIZE_LIMITS = {MonitoringDelivery.OPERATOR: 512 * 1024, MonitoringDelivery.CONFIGMAP: 1024 * 1024}


def rule_groups(staged: StagedModel) -> list[Group]:
    """Every group of rules of a model: the recording rules, then the alerts."""
    return [*recording_groups(staged), alert_group(staged)]


def rules_size(staged: StagedModel) -> int:
    """The bytes of a model's rules as JSON, which is as long as their YAML within a hundredth and quicker to make."""
    return len(json.dumps(rule_groups(staged)))
