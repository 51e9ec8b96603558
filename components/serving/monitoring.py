"""MonitoringRules: what Prometheus scrapes of one model, and the rules it evaluates."""

import json
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.files.yaml_text import dump
from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.monitoring.alerts.model import alert_group
from components.monitoring.recording_rules import INTERVAL, Group, recording_groups
from components.settings.model import ModelSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings

API_VERSION = "monitoring.coreos.com/v1"
# The bytes that one object may hold: prometheus-operator refuses larger rules, the API server larger ConfigMaps.
SIZE_LIMITS = {MonitoringDelivery.OPERATOR: 512 * 1024, MonitoringDelivery.CONFIGMAP: 1024 * 1024}


def rule_groups(model: ModelSettings, stack: StackSettings) -> list[Group]:
    """Every group of rules of a model: the recording rules, then the alerts."""
    return [*recording_groups(model, stack.namespace), alert_group(model, stack)]


def rules_size(model: ModelSettings, stack: StackSettings) -> int:
    """The bytes of a model's rules as JSON, which is as long as their YAML within a hundredth and quicker to make."""
    return len(json.dumps(rule_groups(model, stack)))


def service_monitor_spec(model: ModelSettings) -> dict[str, Any]:
    """The ServiceMonitor's spec: the pods' name and version become labels of every series scraped from them."""
    return {
        "selector": {"matchLabels": naming.selector(model)},
        "podTargetLabels": [naming.NAME, naming.VERSION],
        "endpoints": [{"port": model.metrics_port_name, "path": model.metrics.path, "interval": INTERVAL}],
    }


def scrape_annotations(port: int, path: str = "/metrics") -> dict[str, str]:
    """The pod annotations that Prometheus' widespread scrape configurations look for."""
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": path,
    }


def rule_file(model: ModelSettings, stack: StackSettings) -> dict[str, str]:
    """A Prometheus rule file by its name."""
    return {f"{stack.stage}-{model.name}.rules.yaml": dump({"groups": rule_groups(model, stack)})}


class MonitoringRules(pulumi.ComponentResource):
    """ServiceMonitor and PrometheusRule of one model, or a ConfigMap with a rule file.

    Its objects carry the labels by which the stage's Prometheus selects them.
    """

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:MonitoringRules", name, None, opts)
        child = child_options(self, opts)
        metadata = naming.metadata(model, stack)
        selected = {**naming.labels(model, stack.stage), **(stack.monitoring.selector_labels or {})}
        if stack.monitoring.delivery is MonitoringDelivery.OPERATOR:
            for kind, spec in (
                ("ServiceMonitor", service_monitor_spec(model)),
                ("PrometheusRule", {"groups": rule_groups(model, stack)}),
            ):
                k8s.apiextensions.CustomResource(
                    f"{name}-{kind}",
                    api_version=API_VERSION,
                    kind=kind,
                    metadata={**metadata, "labels": selected},
                    spec=spec,
                    opts=child,
                )
        else:
            k8s.core.v1.ConfigMap(
                f"{name}-rules",
                metadata={**metadata, "name": f"{model.name}-rules", "labels": selected},
                data=rule_file(model, stack),
                opts=child,
            )
        self.register_outputs({})
