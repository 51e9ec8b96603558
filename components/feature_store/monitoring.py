"""FeatureStoreRules: what Prometheus scrapes of a feature store, and the rules it evaluates."""

from components.feature_store import names
from components.feature_store.rules import feature_rule_file, feature_rule_groups
from components.feature_store.server import METRICS_PORT_NAME
from components.kubernetes import naming
from components.kubernetes.objects import Component, KubernetesObject, Manifest, kubernetes_object
from components.kubernetes.scraping import METRICS_PATH, service_monitor_spec
from components.monitoring.recording_rules import INTERVAL
from components.settings.feature_store import FeatureStoreSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


def part_monitor_spec(part: str) -> Manifest:
    """The ServiceMonitor's spec of the servers, or of Redis: the pods' name becomes a label of every series."""
    endpoint = {"port": METRICS_PORT_NAME, "path": METRICS_PATH, "interval": INTERVAL}
    return service_monitor_spec(names.selector(part), endpoint, pod_labels=(naming.NAME,))


def feature_store_rules(store: FeatureStoreSettings, stack: StackSettings) -> Component:
    """ServiceMonitors and PrometheusRule of a feature store, or a ConfigMap with a rule file."""
    if stack.monitoring.delivery is MonitoringDelivery.OPERATOR:
        parts = (names.SERVER, *((names.REDIS,) if store.online.redis.install else ()))
        rules = {"groups": feature_rule_groups(store, stack)}
        children = (
            _selected("PrometheusRule", names.SERVER, rules, stack),
            *(_selected("ServiceMonitor", part, part_monitor_spec(part), stack) for part in parts),
        )
    else:
        metadata = {
            **names.metadata(stack, names.SERVER, name=names.RULES),
            "labels": _labels(stack, names.SERVER),
        }
        children = (kubernetes_object("ConfigMap", metadata, {"data": feature_rule_file(store, stack)}),)
    return Component(type="FeatureStoreRules", name=names.SERVER, children=children)


def _selected(kind: str, part: str, spec: Manifest, stack: StackSettings) -> KubernetesObject:
    metadata = {**names.metadata(stack, part), "labels": _labels(stack, part)}
    return kubernetes_object(kind, metadata, {"spec": spec}, name=f"{part}-{kind}")


def _labels(stack: StackSettings, part: str) -> dict[str, str]:
    """The labels of a part's object, and those by which the cluster's Prometheus selects it."""
    return {**names.labels(stack, part), **(stack.monitoring.selector_labels or {})}
