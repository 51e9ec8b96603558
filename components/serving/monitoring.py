"""MonitoringRules: what Prometheus scrapes of one model, and the rules it evaluates."""

from components.files.yaml_text import dump
from components.kubernetes import naming
from components.kubernetes.objects import Component, KubernetesObject, Manifest, kubernetes_object
from components.kubernetes.scraping import service_monitor_spec
from components.kubernetes.staged_model import StagedModel
from components.monitoring.model_rules import rule_groups
from components.monitoring.recording_rules import INTERVAL
from components.settings.monitoring import MonitoringDelivery


def rule_file(staged: StagedModel) -> dict[str, str]:
    """A Prometheus rule file by its name."""
    return {f"{staged.stage}-{staged.name}.rules.yaml": dump({"groups": rule_groups(staged)})}


def model_monitor_spec(model: StagedModel) -> Manifest:
    """The ServiceMonitor's spec: the pods' name and version become labels of every series scraped from them."""
    metrics = model.model.metrics
    endpoint = {"port": model.model.metrics_port_name, "path": metrics.path, "interval": INTERVAL}
    return service_monitor_spec(model.selector, endpoint, pod_labels=(naming.NAME, naming.VERSION))


def monitoring_rules(staged: StagedModel) -> Component:
    """ServiceMonitor and PrometheusRule of one model, or a ConfigMap with a rule file.

    Its objects have the labels by which the stage's Prometheus selects them.
    """
    stack, name = staged.stack, staged.name
    selected = {"labels": {**staged.labels, **(stack.monitoring.selector_labels or {})}}
    children: tuple[KubernetesObject, ...]
    if stack.monitoring.delivery is MonitoringDelivery.OPERATOR:
        scraped = {"ServiceMonitor": model_monitor_spec(staged)} if staged.model.metrics.enabled else {}
        specs: dict[str, Manifest] = {**scraped, "PrometheusRule": {"groups": rule_groups(staged)}}
        children = tuple(
            kubernetes_object(kind, {**staged.metadata, **selected}, {"spec": spec}, name=f"{name}-{kind}")
            for kind, spec in specs.items()
        )
    else:
        metadata = {**staged.metadata, **selected, "name": f"{name}-rules"}
        children = (kubernetes_object("ConfigMap", metadata, {"data": rule_file(staged)}),)
    return Component(type="MonitoringRules", name=name, children=children)
