"""FeatureStoreRules: what Prometheus scrapes of a feature store, and the rules it evaluates."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import names
from components.feature_store.rules import feature_rule_file, feature_rule_groups
from components.feature_store.server import METRICS_PORT_NAME
from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.monitoring.recording_rules import INTERVAL
from components.serving.monitoring import API_VERSION
from components.settings.feature_store import FeatureStoreSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


def service_monitor_spec(part: str) -> dict[str, Any]:
    """The ServiceMonitor's spec of the servers, or of Redis: the pods' name becomes a label of every series."""
    return {
        "selector": {"matchLabels": names.selector(part)},
        "podTargetLabels": [naming.NAME],
        "endpoints": [{"port": METRICS_PORT_NAME, "path": "/metrics", "interval": INTERVAL}],
    }


class FeatureStoreRules(pulumi.ComponentResource):
    """ServiceMonitors and PrometheusRule of a feature store, or a ConfigMap with a rule file."""

    def __init__(
        self,
        name: str,
        store: FeatureStoreSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:FeatureStoreRules", name, None, opts)
        child = child_options(self, opts)
        if stack.monitoring.delivery is MonitoringDelivery.OPERATOR:
            rules = {"groups": feature_rule_groups(store, stack)}
            self._custom("PrometheusRule", names.SERVER, rules, stack, child)
            parts = [names.SERVER, *([names.REDIS] if store.online.redis.install else [])]
            for part in parts:
                self._custom("ServiceMonitor", part, service_monitor_spec(part), stack, child)
        else:
            k8s.core.v1.ConfigMap(
                names.RULES,
                metadata={
                    **names.metadata(stack, names.SERVER, name=names.RULES),
                    "labels": _selected(stack, names.SERVER),
                },
                data=feature_rule_file(store, stack),
                opts=child,
            )
        self.register_outputs({})

    @staticmethod
    def _custom(
        kind: str, part: str, spec: dict[str, Any], stack: StackSettings, opts: pulumi.ResourceOptions
    ) -> None:
        k8s.apiextensions.CustomResource(
            f"{part}-{kind}",
            api_version=API_VERSION,
            kind=kind,
            metadata={**names.metadata(stack, part), "labels": _selected(stack, part)},
            spec=spec,
            opts=opts,
        )


def _selected(stack: StackSettings, part: str) -> dict[str, str]:
    """The labels of a part's object, and those by which the cluster's Prometheus selects it."""
    return {**names.labels(stack, part), **(stack.monitoring.selector_labels or {})}
