"""FeatureServer: the Feast servers from which models read online features."""

from components.feature_store import names
from components.feature_store.feast_pod import (
    CHECKSUM,
    FOLDER,
    checksum,
    feast,
    feast_pod,
    server_configuration,
)
from components.kubernetes import naming
from components.kubernetes.containers import http_probe, pause_before_stop, tcp_probe
from components.kubernetes.objects import Component, KubernetesObject, Manifest, kubernetes_object
from components.kubernetes.pods import NODE, ZONE, container_port, spread_by_version
from components.kubernetes.scraping import scrape_annotations
from components.kubernetes.workloads import deployment_spec, disruption_budget_spec, service, service_spec
from components.settings.feature_store import FeatureStoreSettings
from components.settings.model import Rollout, Shutdown
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings

_PORT_NAME = "http"
METRICS_PORT_NAME = "metrics"
_PORTS = {_PORT_NAME: names.SERVER_PORT, METRICS_PORT_NAME: names.METRICS_PORT}
_HEALTH = "/health"
_ROLLOUT = Rollout()
_SHUTDOWN = Shutdown()


def server_command(store: FeatureStoreSettings) -> list[str]:
    """Feast's command to serve online features.

    Workers are never restarted (`--max-requests`): Feast keeps a dead worker's freshness, and shows the oldest of all,
    so one that ended while a view was stale would keep its alert firing.
    """
    return feast(
        FOLDER,
        "serve",
        "--host=0.0.0.0",
        f"--port={names.SERVER_PORT}",
        f"--workers={store.workers}",
        "--max-requests=0",
        "--max-requests-jitter=0",
        f"--registry_ttl_sec={store.registry_refresh_seconds}",
        "--no-access-log",
    )


def server_pod(store: FeatureStoreSettings) -> Manifest:
    """The PodSpec of a feature server.

    The liveness probe only opens a connection: /health needs the registry, and while that is unavailable a restart
    would lose what the server still knows.
    """
    pod = feast_pod(
        store,
        {
            "name": names.SERVER,
            "command": server_command(store),
            "ports": [container_port(name, port) for name, port in _PORTS.items()],
            "startupProbe": http_probe(_HEALTH, _PORT_NAME, period_seconds=5, failure_threshold=60),
            "livenessProbe": tcp_probe(_PORT_NAME),
            "readinessProbe": http_probe(_HEALTH, _PORT_NAME),
            "lifecycle": pause_before_stop(_SHUTDOWN.pre_stop_sleep_seconds),
        },
        store.resources,
        reads=True,
    )
    selector = names.selector(names.SERVER)
    return {
        **pod,
        "terminationGracePeriodSeconds": _SHUTDOWN.grace_period_seconds,
        "topologySpreadConstraints": [spread_by_version(selector, key) for key in (ZONE, NODE)],
    }


def server_deployment_spec(store: FeatureStoreSettings, stack: StackSettings) -> Manifest:
    """The DeploymentSpec: a new configuration rolls the servers, new definitions do not."""
    annotations = {CHECKSUM: checksum(server_configuration(store, stack))}
    if stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP:
        annotations |= scrape_annotations(names.METRICS_PORT)
    return deployment_spec(
        server_pod(store),
        selector=names.selector(names.SERVER),
        labels=_versioned(store, stack),
        annotations=annotations,
        replicas=store.replicas,
        rollout=_ROLLOUT,
    )


def _versioned(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    return {**names.labels(stack, names.SERVER), naming.VERSION: naming.version_label(store.version)}


def feature_server(
    store: FeatureStoreSettings, stack: StackSettings, after: tuple[KubernetesObject, ...]
) -> Component:
    """Deployment, Service and PodDisruptionBudget of the feature servers.

    Args:
        store: The stage's feature store.
        stack: The stage.
        after: What must exist before a server starts.

    Returns:
        The component; it is ready when models can read features.
    """
    part = names.SERVER
    # The Service waits for no server: the models keep their address while one is repaired.
    address = service(names.metadata(stack, part), service_spec(names.selector(part), _PORTS))
    timeout = _ROLLOUT.progress_deadline_seconds + 60 * store.replicas
    deployment = kubernetes_object(
        "Deployment",
        {**names.metadata(stack, part, wave=names.SERVER_WAVE), "labels": _versioned(store, stack)},
        {"spec": server_deployment_spec(store, stack)},
        after=after,
        timeouts={"create": timeout, "update": timeout},
    )
    children = [address, deployment]
    if store.disruption_budget.enabled and store.replicas > 1:
        budget = disruption_budget_spec(store.disruption_budget.max_unavailable, names.selector(part))
        children.append(
            kubernetes_object("PodDisruptionBudget", names.metadata(stack, part), {"spec": budget})
        )
    return Component(type="FeatureServer", name=part, children=tuple(children), ready=(address, deployment))
