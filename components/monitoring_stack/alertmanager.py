"""AlertmanagerServer: the Alertmanager of one stage, and whom it notifies."""

from typing import Any

from components.kubernetes.containers import own_resources
from components.kubernetes.objects import Component, kubernetes_object
from components.kubernetes.workloads import disruption_budget_spec, service_account
from components.monitoring_stack import names
from components.monitoring_stack.alert_routing import alertmanager_config_spec
from components.monitoring_stack.operated import operated_spec
from components.settings.stack import StackSettings

# Alertmanagers need no majority, so with two of them one may be down. They replicate silences and sent notifications to
# each other, so they need no volume.
REPLICAS = 2


def alertmanager_spec(stack: StackSettings) -> dict[str, Any]:
    """The Alertmanager's spec."""
    return {
        **operated_spec(names.ALERTMANAGER, stack, stack.images.alertmanager, replicas=REPLICAS),
        "automountServiceAccountToken": False,
        "resources": own_resources(cpu="50m", memory="64Mi", memory_limit="256Mi"),
        "retention": "120h",
        "alertmanagerConfiguration": {"name": names.ALERTMANAGER},
    }


def alertmanager_server(stack: StackSettings) -> Component:
    """Alertmanager with its service account, its routing and its PodDisruptionBudget."""
    part = names.ALERTMANAGER
    specs = {
        "AlertmanagerConfig": alertmanager_config_spec(stack.monitoring.stack.receivers),
        "Alertmanager": alertmanager_spec(stack),
    }
    budget = disruption_budget_spec(1, names.operated_selector(part))
    return Component(
        type="AlertmanagerServer",
        name=part,
        children=(
            service_account(names.metadata(stack, part)),
            *(
                kubernetes_object(kind, names.metadata(stack, part), {"spec": spec}, name=f"{part}-{kind}")
                for kind, spec in specs.items()
            ),
            kubernetes_object("PodDisruptionBudget", names.metadata(stack, part), {"spec": budget}),
        ),
    )
