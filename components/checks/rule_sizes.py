"""Refuses rules that are too large for the object that contains them."""

from components.errors import Problem
from components.kubernetes.staged_model import StagedModel
from components.loading.stack_files import LoadedStack
from components.monitoring.model_rules import SIZE_LIMITS, rules_size
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import PROJECT


def rule_size_problems(loaded: LoadedStack) -> list[Problem]:
    """The models whose rules do not fit into one object; the limit depends on the stage's delivery."""
    settings = loaded.settings
    delivery = settings.monitoring.delivery
    limit = SIZE_LIMITS.get(delivery)
    if limit is None:
        return []
    holder = "PrometheusRule" if delivery is MonitoringDelivery.OPERATOR else "ConfigMap"
    return [
        Problem(
            file=loaded.file,
            field=f"config.{PROJECT}:models.{model.name}",
            reason=f"its rules take {size // 1024} KiB, more than the {limit // 1024} KiB that one {holder} holds",
            fix="name fewer gauges under quality, or split the model in two",
        )
        for model in settings.models
        if (size := rules_size(StagedModel(model, settings))) > limit
    ]
