"""MonitoringStack: the stage's own Prometheus, Alertmanager, Grafana and kube-state-metrics."""

from collections.abc import Sequence
from dataclasses import replace

from components.kubernetes import naming
from components.kubernetes.objects import Component, KubernetesObject, kubernetes_object
from components.monitoring_stack import names
from components.monitoring_stack.alertmanager import alertmanager_server
from components.monitoring_stack.grafana import grafana
from components.monitoring_stack.kube_state_metrics import kube_state_metrics
from components.monitoring_stack.network import network_policy_specs
from components.monitoring_stack.prometheus import prometheus_server
from components.settings.namespaces import PodSecurity
from components.settings.stack import StackSettings


def monitoring_stack(
    stack: StackSettings, dashboards: Sequence[str], after: tuple[KubernetesObject, ...]
) -> Component:
    """The monitoring of one stage, for a cluster that only has prometheus-operator.

    Args:
        stack: The stage.
        dashboards: The names of the ConfigMaps with Grafana's dashboards in the monitoring namespace.
        after: What must exist before any of it.

    Returns:
        The component; it is ready for what is created in the monitoring namespace from outside, such as dashboards.
    """
    namespace = kubernetes_object(
        "Namespace",
        # Whatever the models opt out of, these pods meet the restricted standard.
        naming.namespace_metadata(stack.monitoring.namespace, stack.stage, PodSecurity.RESTRICTED),
    )
    inside = (namespace,)
    policies = [
        kubernetes_object("NetworkPolicy", names.metadata(stack, name), {"spec": spec}, after=inside)
        for name, spec in network_policy_specs(stack).items()
    ]
    parts = (
        prometheus_server(stack),
        alertmanager_server(stack),
        kube_state_metrics(stack),
        grafana(stack, dashboards),
    )
    return Component(
        type="MonitoringStack",
        name=stack.stage,
        children=(namespace, *policies, *(replace(part, after=inside) for part in parts)),
        after=after,
        ready=inside,
    )
