"""AlertmanagerServer: the Alertmanager of one stage, and whom it tells."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.availability import disruption_budget_spec
from components.kubernetes.options import child_options
from components.monitoring_stack import images, names
from components.monitoring_stack.alert_routing import alertmanager_config_spec
from components.monitoring_stack.operated import operated_spec
from components.settings.stack import StackSettings

# Alertmanagers need no majority, so two are enough for one to be away. Each gives the other its silences and what it
# has told, which is why they need no volume.
REPLICAS = 2


def alertmanager_spec(stack: StackSettings) -> dict[str, Any]:
    """The Alertmanager's spec."""
    return {
        **operated_spec(names.ALERTMANAGER, stack.stage, replicas=REPLICAS),
        "image": images.ALERTMANAGER,
        "version": images.ALERTMANAGER_VERSION,
        "automountServiceAccountToken": False,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "retention": "120h",
        "alertmanagerConfiguration": {"name": names.ALERTMANAGER},
    }


class AlertmanagerServer(pulumi.ComponentResource):
    """Alertmanager with its service account, its routing and its PodDisruptionBudget."""

    def __init__(self, name: str, stack: StackSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ml-deployments:index:AlertmanagerServer", name, None, opts)
        child = child_options(self, opts)
        part = names.ALERTMANAGER
        metadata = names.metadata(stack, part)
        k8s.core.v1.ServiceAccount(part, metadata=metadata, automount_service_account_token=False, opts=child)
        for kind, version, spec in (
            ("AlertmanagerConfig", "v1alpha1", alertmanager_config_spec(stack.monitoring.stack.receivers)),
            ("Alertmanager", "v1", alertmanager_spec(stack)),
        ):
            k8s.apiextensions.CustomResource(
                f"{part}-{kind}",
                api_version=f"{names.API_GROUP}/{version}",
                kind=kind,
                metadata=metadata,
                spec=spec,
                opts=child,
            )
        k8s.policy.v1.PodDisruptionBudget(
            part, metadata=metadata, spec=disruption_budget_spec(1, names.operated_selector(part)), opts=child
        )
        self.register_outputs({})
