"""PrometheusServer: the Prometheus that watches one stage, and what it may see of the cluster."""

from typing import Any

from components.kubernetes.containers import own_resources
from components.kubernetes.network import NAMESPACE_NAME
from components.kubernetes.objects import Component, kubernetes_object
from components.kubernetes.workloads import disruption_budget_spec, service_account
from components.monitoring.recording_rules import INTERVAL
from components.monitoring_stack import access, cadvisor, names
from components.monitoring_stack.operated import operated_spec
from components.settings.monitoring import Storage
from components.settings.quantities import quantity
from components.settings.stack import StackSettings

# A single one would be blind while its node drains, and then no one is paged. Both see the same and send to the same
# Alertmanager, which sends each alert once.
REPLICAS = 2
# A full volume stops Prometheus; before that, the oldest samples are deleted.
_FILL_PERCENT = 85
# Without a volume the samples are on the node's disk, which other pods need too.
_SIZE_WITHOUT_VOLUME, _DISK_WITHOUT_VOLUME = "20Gi", "21Gi"
_SELECTED = ("serviceMonitor", "rule", "scrapeConfig")


def prometheus_spec(stack: StackSettings) -> dict[str, Any]:
    """The Prometheus' spec: it sees only the objects of its own stage, whatever else the cluster has."""
    settings = stack.monitoring.stack
    spec: dict[str, Any] = {
        **operated_spec(names.PROMETHEUS, stack, stack.images.prometheus, replicas=REPLICAS),
        "automountServiceAccountToken": True,
        # No CPU limit: throttled rules are evaluated late.
        "resources": own_resources(
            cpu="500m",
            memory="2Gi",
            memory_limit="4Gi",
            disk_limit="512Mi" if settings.storage is not None else _DISK_WITHOUT_VOLUME,
        ),
        "retention": settings.retention,
        "scrapeInterval": INTERVAL,
        "evaluationInterval": INTERVAL,
        "externalLabels": {"stage": stack.stage},
        "serviceDiscoveryRole": "EndpointSlice",
        # A ServiceMonitor must not name files. One that names the scrape class still gets its token: everyone who may
        # create monitors in the stage is trusted with it.
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
        **{f"{kind}NamespaceSelector": _own_namespaces(stack) for kind in _SELECTED},
    }
    if settings.storage is not None:
        spec["storage"] = {"volumeClaimTemplate": {"spec": _claim_spec(settings.storage)}}
        spec["retentionSize"] = _retention_size(settings.storage.size)
    else:
        spec["storage"] = {"emptyDir": {"sizeLimit": _SIZE_WITHOUT_VOLUME}}
        spec["retentionSize"] = _retention_size(_SIZE_WITHOUT_VOLUME)
    return spec


def _own_namespaces(stack: StackSettings) -> dict[str, Any]:
    """By their names, in a label that only Kubernetes writes: anyone may give a namespace the stage's own label."""
    values = [*stack.serving_namespaces, stack.monitoring.namespace]
    return {"matchExpressions": [{"key": NAMESPACE_NAME, "operator": "In", "values": values}]}


def _claim_spec(storage: Storage) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.storage_class is not None:
        spec["storageClassName"] = storage.storage_class
    return spec


def _retention_size(size: str) -> str:
    return f"{int(quantity(size)) * _FILL_PERCENT // 100 // 2**20}MiB"


def prometheus_server(stack: StackSettings) -> Component:
    """Prometheus with its service account, what that may read, and the scrape configuration of the kubelets."""
    part = names.PROMETHEUS
    targets = [
        access.rule("", ["services", "pods"]),
        access.rule("discovery.k8s.io", ["endpointslices"]),
    ]
    nodes = [access.rule("", ["nodes"]), access.rule("", ["nodes/metrics"], ["get"])]
    budget = disruption_budget_spec(1, names.operated_selector(part))
    return Component(
        type="PrometheusServer",
        name=part,
        children=(
            service_account(names.metadata(stack, part)),
            *access.grant_each(stack, part, (*stack.serving_namespaces, stack.monitoring.namespace), targets),
            *access.grant_cluster(stack, part, nodes),
            kubernetes_object("Prometheus", names.metadata(stack, part), {"spec": prometheus_spec(stack)}),
            kubernetes_object(
                "ScrapeConfig",
                names.selected_metadata(stack, part, name=cadvisor.JOB),
                {"spec": cadvisor.scrape_config_spec(stack.serving_namespaces)},
            ),
            kubernetes_object("PodDisruptionBudget", names.metadata(stack, part), {"spec": budget}),
        ),
    )
