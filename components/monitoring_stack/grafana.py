"""Grafana: shows the dashboards in git and stores nothing."""

from collections.abc import Sequence

from components.kubernetes.containers import http_probe, own_resources
from components.kubernetes.objects import Component, Manifest, kubernetes_object
from components.kubernetes.pods import container, container_port, pod_spec
from components.kubernetes.workloads import deployment_spec, service, service_account, service_spec
from components.monitoring import links
from components.monitoring_stack import names
from components.monitoring_stack.grafana_files import (
    DASHBOARDS_FOLDER,
    PROVISIONING_FOLDER,
    checksum,
    provisioning,
)
from components.settings.model import Rollout
from components.settings.stack import StackSettings

PORT = 3000
_PORT_NAME = "http"
_USER = 472
_HEALTH = "/api/health"
# Login is off, so a password is not needed: anyone who may forward its port sees what is in git, and cannot edit it.
_VARIABLES = {
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    # The file system for log files is read-only.
    "GF_LOG_MODE": "console",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
}


def grafana_pod(stack: StackSettings, dashboards: Sequence[str]) -> Manifest:
    """The PodSpec.

    Args:
        stack: The stage.
        dashboards: The names of the ConfigMaps with dashboards in the monitoring namespace.
    """
    home = f"{DASHBOARDS_FOLDER}/{links.dashboard_uid(stack.stage)}.json"
    variables = {**_VARIABLES, "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": home}
    if stack.monitoring.grafana_url is not None:
        variables["GF_SERVER_ROOT_URL"] = stack.monitoring.grafana_url
    folders = provisioning(stack.monitoring.namespace)
    server = container(
        {
            "name": names.GRAFANA,
            "image": stack.images.grafana.reference,
            "ports": [container_port(_PORT_NAME, PORT)],
            "env": [{"name": name, "value": variables[name]} for name in sorted(variables)],
            "resources": own_resources(cpu="100m", memory="256Mi", memory_limit="1Gi", disk_limit="1536Mi"),
            # It creates its database at each start.
            "startupProbe": http_probe(_HEALTH, _PORT_NAME, period_seconds=5, failure_threshold=60),
            "livenessProbe": http_probe(_HEALTH, _PORT_NAME),
            "readinessProbe": http_probe(_HEALTH, _PORT_NAME),
        },
        mounts=[
            {"name": "data", "mountPath": "/var/lib/grafana"},
            {"name": "shown", "mountPath": DASHBOARDS_FOLDER, "readOnly": True},
            *(
                {"name": folder, "mountPath": f"{PROVISIONING_FOLDER}/{folder}", "readOnly": True}
                for folder in folders
            ),
        ],
    )
    return pod_spec(
        names.GRAFANA,
        [server],
        user=_USER,
        image_pull_secrets=stack.images.image_pull_secrets,
        volumes=[
            {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "shown", "projected": {"sources": [_source(name) for name in dashboards]}},
            *({"name": folder, "configMap": {"name": _config_map(folder)}} for folder in folders),
        ],
    )


def _source(config_map: str) -> Manifest:
    # Optional: Grafana starts without a dashboard that does not exist yet, and finds it later.
    return {"configMap": {"name": config_map, "optional": True}}


def _config_map(folder: str) -> str:
    return f"{names.GRAFANA}-{folder}-provisioning"


def grafana(stack: StackSettings, dashboards: Sequence[str]) -> Component:
    """Grafana with its service account, its Service and the ConfigMaps of its configuration.

    Args:
        stack: The stage.
        dashboards: The names of the ConfigMaps with dashboards in the monitoring namespace.
    """
    part = names.GRAFANA
    files = provisioning(stack.monitoring.namespace)
    needed = (
        service_account(names.metadata(stack, part)),
        *(
            kubernetes_object(
                "ConfigMap", names.metadata(stack, part, name=_config_map(folder)), {"data": data}
            )
            for folder, data in files.items()
        ),
    )
    spec = deployment_spec(
        grafana_pod(stack, dashboards),
        selector=names.selector(part),
        labels=names.labels(part, stack.stage),
        annotations={"ml-deployments/provisioning": checksum(files)},
        # Everything it shows is loaded again at its start, so one replica is enough.
        rollout=Rollout(),
        deadline=False,
    )
    return Component(
        type="Grafana",
        name=part,
        children=(
            *needed,
            kubernetes_object("Deployment", names.metadata(stack, part), {"spec": spec}, after=needed),
            service(names.metadata(stack, part), service_spec(names.selector(part), {_PORT_NAME: PORT})),
        ),
    )
