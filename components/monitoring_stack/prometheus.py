"""PrometheusServer: the Prometheus that watches one stage, and what it may see of the cluster."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.kubernetes.availability import disruption_budget_spec
from components.kubernetes.options import child_options
from components.monitoring.recording_rules import INTERVAL
from components.monitoring_stack import access, cadvisor, images, names
from components.monitoring_stack.operated import operated_spec
from components.settings.monitoring import Storage
from components.settings.quantities import quantity
from components.settings.stack import StackSettings

# One would be blind while its node drains, and a blind one pages nobody. Both see the same and send to the same
# Alertmanager, which tells an alert once.
REPLICAS = 2
# A full volume stops Prometheus; before that, the oldest samples go.
_FILL_PERCENT = 85
_SELECTED = ("serviceMonitor", "rule", "scrapeConfig")


def prometheus_spec(stack: StackSettings) -> dict[str, Any]:
    """The Prometheus' spec: it sees the objects of its own stage only, whatever else the cluster holds."""
    settings = stack.monitoring.stack
    spec: dict[str, Any] = {
        **operated_spec(names.PROMETHEUS, stack.stage, replicas=REPLICAS),
        "image": images.PROMETHEUS,
        "version": images.PROMETHEUS_VERSION,
        "automountServiceAccountToken": True,
        # No limit on the processor: throttled rules come late.
        "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
        "retention": settings.retention,
        "scrapeInterval": INTERVAL,
        "evaluationInterval": INTERVAL,
        "externalLabels": {"stage": stack.stage},
        "serviceDiscoveryRole": "EndpointSlice",
        # A ServiceMonitor must not name files. One that names the scrape class still gets its token: who may create
        # monitors in the stage is trusted with it.
        "arbitraryFSAccessThroughSMs": {"deny": True},
        "scrapeClasses": [cadvisor.scrape_class()],
        "alerting": {
            "alertmanagers": [
                {
                    "namespace": stack.monitoring.namespace,
                    "name": names.ALERTMANAGER_SERVICE,
                    "port": "web",
                    "apiVersion": "v2",
                }
            ]
        },
        **{f"{kind}Selector": {"matchLabels": names.selection(stack)} for kind in _SELECTED},
        **{f"{kind}NamespaceSelector": {"matchLabels": {naming.STAGE: stack.stage}} for kind in _SELECTED},
    }
    if settings.storage is not None:
        spec["storage"] = {"volumeClaimTemplate": {"spec": _claim_spec(settings.storage)}}
        spec["retentionSize"] = _retention_size(settings.storage)
    return spec


def _claim_spec(storage: Storage) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.storage_class is not None:
        spec["storageClassName"] = storage.storage_class
    return spec


def _retention_size(storage: Storage) -> str:
    return f"{int(quantity(storage.size)) * _FILL_PERCENT // 100 // 2**20}MiB"


class PrometheusServer(pulumi.ComponentResource):
    """Prometheus with its service account, what that may read, and the scrape configuration of the kubelets."""

    def __init__(self, name: str, stack: StackSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ml-deployments:index:PrometheusServer", name, None, opts)
        child = child_options(self, opts)
        part = names.PROMETHEUS
        metadata = names.metadata(stack, part)
        k8s.core.v1.ServiceAccount(part, metadata=metadata, automount_service_account_token=False, opts=child)
        targets = [
            access.rule("", ["services", "pods"]),
            access.rule("discovery.k8s.io", ["endpointslices"]),
        ]
        for namespace in (stack.namespace, stack.monitoring.namespace):
            access.grant(stack, part, namespace, targets, child)
        nodes = [access.rule("", ["nodes"]), access.rule("", ["nodes/metrics"], ["get"])]
        access.grant_cluster(stack, part, nodes, child)
        k8s.apiextensions.CustomResource(
            part,
            api_version=f"{names.API_GROUP}/v1",
            kind="Prometheus",
            metadata=metadata,
            spec=prometheus_spec(stack),
            opts=child,
        )
        k8s.apiextensions.CustomResource(
            cadvisor.JOB,
            api_version=f"{names.API_GROUP}/v1alpha1",
            kind="ScrapeConfig",
            metadata=names.selected_metadata(stack, part, name=cadvisor.JOB),
            spec=cadvisor.scrape_config_spec(stack.namespace),
            opts=child,
        )
        k8s.policy.v1.PodDisruptionBudget(
            part, metadata=metadata, spec=disruption_budget_spec(1, names.operated_selector(part)), opts=child
        )
        self.register_outputs({})
