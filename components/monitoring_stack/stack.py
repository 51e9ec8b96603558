"""MonitoringStack: Prometheus, Alertmanager, Grafana and kube-state-metrics of a stage's own."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.monitoring_stack import names
from components.monitoring_stack.alertmanager import AlertmanagerServer
from components.monitoring_stack.grafana import Grafana
from components.monitoring_stack.kube_state_metrics import KubeStateMetrics
from components.monitoring_stack.network import network_policy_specs
from components.monitoring_stack.prometheus import PrometheusServer
from components.settings.stack import PodSecurity, StackSettings
from components.stage import namespace_labels


class MonitoringStack(pulumi.ComponentResource):
    """The monitoring of one stage, for a cluster that has none but prometheus-operator.

    Attributes:
        options: What is created in the monitoring namespace from outside, such as dashboards, is created with these.
    """

    options: pulumi.ResourceOptions

    def __init__(
        self,
        stack: StackSettings,
        dashboards: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the namespace and the parts.

        Args:
            stack: The stage.
            dashboards: The names of the ConfigMaps in the monitoring namespace that hold Grafana's dashboards.
            opts: The stage's options.
        """
        super().__init__("ml-deployments:index:MonitoringStack", stack.stage, None, opts)
        namespace = k8s.core.v1.Namespace(
            stack.monitoring.namespace,
            metadata={
                "name": stack.monitoring.namespace,
                # Whatever the models opted out of, these pods need no more than this.
                "labels": namespace_labels(stack.stage, PodSecurity.RESTRICTED),
                "annotations": naming.annotations(stack.stage),
            },
            opts=child_options(self, opts),
        )
        inside = pulumi.ResourceOptions(depends_on=[namespace])
        child = pulumi.ResourceOptions.merge(child_options(self, opts), inside)
        for name, spec in network_policy_specs().items():
            metadata = names.metadata(stack, name)
            k8s.networking.v1.NetworkPolicy(name, metadata=metadata, spec=spec, opts=child)
        PrometheusServer(names.PROMETHEUS, stack, opts=child)
        AlertmanagerServer(names.ALERTMANAGER, stack, opts=child)
        KubeStateMetrics(names.KUBE_STATE_METRICS, stack, opts=child)
        Grafana(names.GRAFANA, stack, dashboards, opts=child)
        self.options = pulumi.ResourceOptions.merge(opts, inside)
        self.register_outputs({})
