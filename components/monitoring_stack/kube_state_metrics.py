"""KubeStateMetrics: what Kubernetes knows of the stage's Deployments, pods and autoscalers, as metrics."""

from itertools import chain
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.kubernetes.support_server import deployment_spec, pod_spec, probe, service_spec
from components.monitoring.recording_rules import INTERVAL
from components.monitoring_stack import access, images, names
from components.settings.stack import StackSettings

PORT = 8080
_PORT_NAME = "http-metrics"
_TELEMETRY_PORT = 8081
_TELEMETRY = "telemetry"
_NOBODY = 65534


def watched(stack: StackSettings) -> dict[str, list[str]]:
    """The resources it watches by their API group; those of jobs only where a feature store has some."""
    found = {"apps": ["deployments"], "": ["pods"], "autoscaling": ["horizontalpodautoscalers"]}
    return found if stack.feature_store is None else {**found, "batch": ["cronjobs", "jobs"]}


def kube_state_metrics_pod(stack: StackSettings) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec: it asks for the stage's namespace alone, as its Role allows no more."""
    return pod_spec(
        {
            "name": names.KUBE_STATE_METRICS,
            "image": images.KUBE_STATE_METRICS,
            "args": [
                f"--namespaces={stack.namespace}",
                f"--resources={','.join(chain(*watched(stack).values()))}",
                f"--port={PORT}",
                f"--telemetry-port={_TELEMETRY_PORT}",
            ],
            "ports": [
                {"name": _PORT_NAME, "container_port": PORT, "protocol": "TCP"},
                {"name": _TELEMETRY, "container_port": _TELEMETRY_PORT, "protocol": "TCP"},
            ],
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
            "liveness_probe": probe("/livez", _PORT_NAME),
            "readiness_probe": probe("/readyz", _TELEMETRY),
        },
        user=_NOBODY,
        token=True,
    )


def service_monitor_spec() -> dict[str, Any]:
    """The ServiceMonitor's spec: the series' namespace, pod and container are those they tell of.

    The scraped pod's own labels are left out: with them, a restart would begin new series, and every alert on these
    would start its `for` again.
    """
    return {
        "selector": {"matchLabels": names.selector(names.KUBE_STATE_METRICS)},
        "endpoints": [
            {
                "port": _PORT_NAME,
                "interval": INTERVAL,
                "honorLabels": True,
                "relabelings": [
                    {"action": "labeldrop", "regex": "pod|container|endpoint|service"},
                    {"targetLabel": "instance", "replacement": names.KUBE_STATE_METRICS},
                ],
            }
        ],
    }


class KubeStateMetrics(pulumi.ComponentResource):
    """kube-state-metrics of one stage, what it may read, and its ServiceMonitor."""

    def __init__(self, name: str, stack: StackSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ml-deployments:index:KubeStateMetrics", name, None, opts)
        child = child_options(self, opts)
        part = names.KUBE_STATE_METRICS
        metadata = names.metadata(stack, part)
        account = k8s.core.v1.ServiceAccount(
            part, metadata=metadata, automount_service_account_token=False, opts=child
        )
        rules = [
            access.rule(group, resources, ["list", "watch"]) for group, resources in watched(stack).items()
        ]
        access.grant(stack, part, stack.namespace, rules, child)
        k8s.apps.v1.Deployment(
            part,
            metadata=metadata,
            spec=deployment_spec(part, stack.stage, kube_state_metrics_pod(stack)),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[account])),
        )
        k8s.core.v1.Service(
            part, metadata=naming.not_awaited(metadata), spec=service_spec(part, _PORT_NAME, PORT), opts=child
        )
        k8s.apiextensions.CustomResource(
            part,
            api_version=f"{names.API_GROUP}/v1",
            kind="ServiceMonitor",
            metadata=names.selected_metadata(stack, part),
            spec=service_monitor_spec(),
            opts=child,
        )
        self.register_outputs({})
