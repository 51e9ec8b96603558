"""FeatureServer: the Feast servers that models read online features from."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import names
from components.feature_store.feast_pod import CHECKSUM, checksum, configuration, feast, feast_pod
from components.kubernetes import naming
from components.kubernetes.availability import disruption_budget_spec, rolling_update
from components.kubernetes.options import child_options
from components.kubernetes.support_server import probe
from components.serving.monitoring import scrape_annotations
from components.serving.pod import NODE, ZONE, spread
from components.settings.feature_store import FeatureStoreSettings
from components.settings.model import Rollout, Shutdown
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings

_PORT_NAME = "http"
METRICS_PORT_NAME = "metrics"
_HEALTH = "/health"
_ROLLOUT = Rollout()
_SHUTDOWN = Shutdown()


def server_command(store: FeatureStoreSettings) -> list[str]:
    """Feast's command to serve online features.

    Workers are never renewed (`--max-requests`): Feast keeps a dead worker's freshness, and shows the oldest of all, so
    one that ended while a view was stale would keep its alert firing.
    """
    return feast(
        "/tmp",
        "serve",
        "--host=0.0.0.0",
        f"--port={names.SERVER_PORT}",
        f"--workers={store.workers}",
        "--max-requests=0",
        "--max-requests-jitter=0",
        f"--registry_ttl_sec={store.registry_refresh_seconds}",
        "--no-access-log",
    )


def server_pod(store: FeatureStoreSettings) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec of a feature server.

    Alive is who accepts connections: /health asks for the registry, and while that is away a restart would lose what
    the server still knows.
    """
    pod = feast_pod(
        store,
        {
            "name": names.SERVER,
            "command": server_command(store),
            "ports": [
                {"name": _PORT_NAME, "container_port": names.SERVER_PORT, "protocol": "TCP"},
                {"name": METRICS_PORT_NAME, "container_port": names.METRICS_PORT, "protocol": "TCP"},
            ],
            "startup_probe": probe(_HEALTH, _PORT_NAME, period_seconds=5, failure_threshold=60),
            "liveness_probe": {
                "tcp_socket": {"port": _PORT_NAME},
                "period_seconds": 10,
                "timeout_seconds": 5,
                "failure_threshold": 3,
            },
            "readiness_probe": probe(_HEALTH, _PORT_NAME),
            "lifecycle": {"pre_stop": {"sleep": {"seconds": _SHUTDOWN.pre_stop_sleep_seconds}}},
        },
        store.resources,
    )
    selector = names.selector(names.SERVER)
    return {
        **pod,
        "termination_grace_period_seconds": _SHUTDOWN.grace_period_seconds,
        "topology_spread_constraints": [spread(selector, ZONE), spread(selector, NODE)],
    }


def deployment_spec(store: FeatureStoreSettings, stack: StackSettings) -> k8s.apps.v1.DeploymentSpecArgsDict:
    """The DeploymentSpec: another configuration rolls the servers, other definitions do not."""
    annotations = {CHECKSUM: checksum(configuration(store, stack))}
    if stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP:
        annotations |= scrape_annotations(names.METRICS_PORT)
    return {
        "replicas": store.replicas,
        "revision_history_limit": 5,
        "progress_deadline_seconds": _ROLLOUT.progress_deadline_seconds,
        "selector": {"match_labels": names.selector(names.SERVER)},
        "strategy": rolling_update(_ROLLOUT),
        "template": {
            "metadata": {"labels": _versioned(store, stack), "annotations": annotations},
            "spec": server_pod(store),
        },
    }


def service_spec() -> k8s.core.v1.ServiceSpecArgsDict:
    """The ServiceSpec: the servers' two ports."""
    return {
        "type": "ClusterIP",
        "selector": names.selector(names.SERVER),
        "ports": [
            {"name": name, "port": port, "target_port": name, "protocol": "TCP", "app_protocol": "http"}
            for name, port in ((_PORT_NAME, names.SERVER_PORT), (METRICS_PORT_NAME, names.METRICS_PORT))
        ],
    }


def _versioned(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    return {**names.labels(stack, names.SERVER), naming.VERSION: store.version}


class FeatureServer(pulumi.ComponentResource):
    """Deployment, Service and PodDisruptionBudget of the feature servers.

    Attributes:
        ready: What a model that reads features waits for.
    """

    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        store: FeatureStoreSettings,
        stack: StackSettings,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the objects.

        Args:
            name: The component's name.
            store: The stage's feature store.
            stack: The stage.
            after: What must be there before a server starts.
            opts: The component's options.
        """
        super().__init__("ml-deployments:index:FeatureServer", name, None, opts)
        child = child_options(self, opts)
        metadata = names.metadata(stack, names.SERVER)
        # The Service waits for no server: the models keep their address while one is mended.
        service = k8s.core.v1.Service(
            names.SERVER, metadata=naming.not_awaited(metadata), spec=service_spec(), opts=child
        )
        timeout = f"{_ROLLOUT.progress_deadline_seconds + 60 * store.replicas}s"
        deployment = k8s.apps.v1.Deployment(
            names.SERVER,
            metadata={
                **names.metadata(stack, names.SERVER, wave=names.SERVER_WAVE),
                "labels": _versioned(store, stack),
            },
            spec=deployment_spec(store, stack),
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    depends_on=list(after),
                    custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
                ),
            ),
        )
        if store.disruption_budget.enabled and store.replicas > 1:
            k8s.policy.v1.PodDisruptionBudget(
                names.SERVER,
                metadata=metadata,
                spec=disruption_budget_spec(
                    store.disruption_budget.max_unavailable, names.selector(names.SERVER)
                ),
                opts=child,
            )
        self.ready = [service, deployment]
        self.register_outputs({})
