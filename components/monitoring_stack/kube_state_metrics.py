"""KubeStateMetrics: what Kubernetes knows of the stage's Deployments, pods and autoscalers, as metrics."""

from itertools import chain

from components.kubernetes.containers import http_probe, own_resources
from components.kubernetes.objects import Component, Manifest, kubernetes_object
from components.kubernetes.pods import container, container_port, pod_spec
from components.kubernetes.scraping import service_monitor_spec
from components.kubernetes.workloads import deployment_spec, service, service_account, service_spec
from components.monitoring.recording_rules import INTERVAL
from components.monitoring_stack import access, names
from components.settings.model import Rollout
from components.settings.stack import StackSettings

PORT = 8080
_PORT_NAME = "http-metrics"
_TELEMETRY_PORT = 8081
_TELEMETRY = "telemetry"
_NOBODY = 65534


def watched(stack: StackSettings) -> dict[str, list[str]]:
    """The resources it watches by their API group; jobs only where a feature store has some."""
    found = {"apps": ["deployments"], "": ["pods"], "autoscaling": ["horizontalpodautoscalers"]}
    return found if stack.feature_store is None else {**found, "batch": ["cronjobs", "jobs"]}


def kube_state_metrics_pod(stack: StackSettings) -> Manifest:
    """The PodSpec: it watches only the namespaces of the stage's models, the only ones that its Roles allow."""
    server = container(
        {
            "name": names.KUBE_STATE_METRICS,
            "image": stack.images.kube_state_metrics.reference,
            "args": [
                f"--namespaces={','.join(stack.serving_namespaces)}",
                f"--resources={','.join(chain(*watched(stack).values()))}",
                f"--port={PORT}",
                f"--telemetry-port={_TELEMETRY_PORT}",
            ],
            "ports": [container_port(_PORT_NAME, PORT), container_port(_TELEMETRY, _TELEMETRY_PORT)],
            "resources": own_resources(cpu="10m", memory="32Mi", memory_limit="256Mi"),
            "livenessProbe": http_probe("/livez", _PORT_NAME),
            "readinessProbe": http_probe("/readyz", _TELEMETRY),
        }
    )
    return pod_spec(
        names.KUBE_STATE_METRICS,
        [server],
        user=_NOBODY,
        token=True,
        image_pull_secrets=stack.images.image_pull_secrets,
    )


def kube_state_monitor_spec() -> Manifest:
    """The ServiceMonitor's spec: the series' namespace, pod and container are those of the watched objects.

    The scraped pod's own labels are dropped: with them, a restart would begin new series, and every alert on these
    would start its `for` again.
    """
    endpoint = {
        "port": _PORT_NAME,
        "interval": INTERVAL,
        "honorLabels": True,
        "relabelings": [
            {"action": "labeldrop", "regex": "pod|container|endpoint|service"},
            {"targetLabel": "instance", "replacement": names.KUBE_STATE_METRICS},
        ],
    }
    return service_monitor_spec(names.selector(names.KUBE_STATE_METRICS), endpoint)


def kube_state_metrics(stack: StackSettings) -> Component:
    """kube-state-metrics of one stage, what it may read, and its ServiceMonitor."""
    part = names.KUBE_STATE_METRICS
    account = service_account(names.metadata(stack, part))
    rules = [access.rule(group, resources, ["list", "watch"]) for group, resources in watched(stack).items()]
    spec = deployment_spec(
        kube_state_metrics_pod(stack),
        selector=names.selector(part),
        labels=names.labels(part, stack.stage),
        annotations={},
        rollout=Rollout(),
        deadline=False,
    )
    monitor = kube_state_monitor_spec()
    return Component(
        type="KubeStateMetrics",
        name=part,
        children=(
            account,
            *access.grant_each(stack, part, stack.serving_namespaces, rules),
            kubernetes_object("Deployment", names.metadata(stack, part), {"spec": spec}, after=(account,)),
            service(names.metadata(stack, part), service_spec(names.selector(part), {_PORT_NAME: PORT})),
            kubernetes_object("ServiceMonitor", names.selected_metadata(stack, part), {"spec": monitor}),
        ),
    )
