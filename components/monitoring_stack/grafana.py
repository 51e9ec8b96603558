"""Grafana: shows the dashboards in git and keeps nothing of its own."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.kubernetes.support_server import deployment_spec, pod_spec, probe, service_spec
from components.monitoring import links
from components.monitoring_stack import images, names
from components.monitoring_stack.grafana_files import (
    DASHBOARDS_FOLDER,
    PROVISIONING_FOLDER,
    checksum,
    provisioning,
)
from components.settings.stack import StackSettings

PORT = 3000
_PORT_NAME = "http"
_USER = 472
_HEALTH = "/api/health"
# Nobody logs in, so there is no password to keep: whoever may forward its port sees what is in git, and edits nothing.
_VARIABLES = {
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    # Files would go where the file system is read-only.
    "GF_LOG_MODE": "console",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
}


def grafana_pod(stack: StackSettings, dashboards: Sequence[str]) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec.

    Args:
        stack: The stage.
        dashboards: The names of the ConfigMaps in the monitoring namespace that hold dashboards.
    """
    home = f"{DASHBOARDS_FOLDER}/{links.dashboard_uid(stack.stage)}.json"
    variables = {**_VARIABLES, "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": home}
    if stack.monitoring.grafana_url is not None:
        variables["GF_SERVER_ROOT_URL"] = stack.monitoring.grafana_url
    files = _file_volumes(stack.monitoring.namespace)
    return pod_spec(
        {
            "name": names.GRAFANA,
            "image": images.GRAFANA,
            "ports": [{"name": _PORT_NAME, "container_port": PORT, "protocol": "TCP"}],
            "env": [{"name": name, "value": variables[name]} for name in sorted(variables)],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
            # It lays out its database at each start.
            "startup_probe": probe(_HEALTH, _PORT_NAME, period_seconds=5, failure_threshold=60),
            "liveness_probe": probe(_HEALTH, _PORT_NAME),
            "readiness_probe": probe(_HEALTH, _PORT_NAME),
        },
        user=_USER,
        token=False,
        mounts=[
            {"name": "data", "mount_path": "/var/lib/grafana"},
            {"name": "shown", "mount_path": DASHBOARDS_FOLDER, "read_only": True},
            *(mount for mount, _ in files),
        ],
        volumes=[
            {"name": "data", "empty_dir": {"size_limit": "1Gi"}},
            {"name": "shown", "projected": {"sources": [_source(name) for name in dashboards]}},
            *(volume for _, volume in files),
        ],
    )


def _source(config_map: str) -> k8s.core.v1.VolumeProjectionArgsDict:
    # Optional: Grafana starts without a dashboard that is not there yet, and finds it when it is.
    return {"config_map": {"name": config_map, "optional": True}}


def _file_volumes(
    monitoring_namespace: str,
) -> list[tuple[k8s.core.v1.VolumeMountArgsDict, k8s.core.v1.VolumeArgsDict]]:
    return [
        (
            {"name": folder, "mount_path": f"{PROVISIONING_FOLDER}/{folder}", "read_only": True},
            {"name": folder, "config_map": {"name": _config_map(folder)}},
        )
        for folder in provisioning(monitoring_namespace)
    ]


def _config_map(folder: str) -> str:
    return f"{names.GRAFANA}-{folder}-provisioning"


class Grafana(pulumi.ComponentResource):
    """Grafana with its service account, its Service and the ConfigMaps it is set up from."""

    def __init__(
        self,
        name: str,
        stack: StackSettings,
        dashboards: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:Grafana", name, None, opts)
        child = child_options(self, opts)
        part = names.GRAFANA
        metadata = names.metadata(stack, part)
        account = k8s.core.v1.ServiceAccount(
            part, metadata=metadata, automount_service_account_token=False, opts=child
        )
        files = provisioning(stack.monitoring.namespace)
        needed: list[pulumi.Resource] = [account]
        for folder, data in files.items():
            own = names.metadata(stack, part, name=_config_map(folder))
            needed.append(k8s.core.v1.ConfigMap(_config_map(folder), metadata=own, data=data, opts=child))
        k8s.apps.v1.Deployment(
            part,
            metadata=metadata,
            spec=deployment_spec(
                part,
                stack.stage,
                grafana_pod(stack, dashboards),
                {"ml-deployments/provisioning": checksum(files)},
            ),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=needed)),
        )
        k8s.core.v1.Service(
            part, metadata=naming.not_awaited(metadata), spec=service_spec(part, _PORT_NAME, PORT), opts=child
        )
        self.register_outputs({})
