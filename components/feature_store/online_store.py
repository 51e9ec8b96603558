"""OnlineStore: a Redis of the stage's own with the newest value of each feature."""

from decimal import Decimal

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import images, names
from components.feature_store.feast_pod import CHECKSUM, checksum, secret_variable
from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.kubernetes.support_server import pod_spec, probe
from components.serving.monitoring import scrape_annotations
from components.settings.feature_store import REDIS_PORT, Redis
from components.settings.monitoring import MonitoringDelivery
from components.settings.quantities import quantity
from components.settings.stack import StackSettings

FILE = "redis.conf"
EXPORTER_PORT_NAME = "metrics"
_PORT_NAME = "redis"
_DATA_FOLDER = "/data"
_FOLDER = "/etc/redis"
# The user of the official image.
_USER = 999
# To write its log to the end.
_GRACE_SECONDS = 60
# redis-cli reads it by itself.
_PASSWORD = "REDISCLI_AUTH"
# The rest is for the copies that a child makes of what changes while it rewrites the log.
_DATA_SHARE = Decimal("0.75")


def redis_config(redis: Redis) -> str:
    """The text of redis.conf: every write is in the log on the volume within a second."""
    lines = {
        "port": REDIS_PORT,
        "bind": "* -::*",
        "dir": _DATA_FOLDER,
        "appendonly": "yes",
        "appendfsync": "everysec",
        # The log begins with a snapshot already.
        "save": '""',
        "maxmemory": int(quantity(redis.memory) * _DATA_SHARE),
        "maxmemory-policy": redis.eviction_policy.value,
        "tcp-keepalive": 60,
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def redis_start() -> str:
    """The shell's text that starts Redis: its password comes by standard input, so that no list of processes has it."""
    return (
        f'exec redis-server - <<CONFIGURATION\ninclude {_FOLDER}/{FILE}\nrequirepass "${_PASSWORD}"\n'
        "CONFIGURATION\n"
    )


def redis_pod(redis: Redis, stack: StackSettings) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec of Redis and, where something monitors, of what shows its metrics."""
    watched = stack.monitoring.delivery is not MonitoringDelivery.NONE
    pod = pod_spec(
        {
            "name": names.REDIS,
            "image": images.REDIS,
            "command": ["sh", "-c", redis_start()],
            "env": [_password(redis, _PASSWORD)],
            "ports": [{"name": _PORT_NAME, "container_port": REDIS_PORT, "protocol": "TCP"}],
            "resources": {
                "requests": {"cpu": "250m", "memory": redis.memory},
                "limits": {"memory": redis.memory},
            },
            # It answers a ping when it has read its log, which may take minutes.
            "startup_probe": _ping(failure_threshold=120),
            "liveness_probe": {
                "tcp_socket": {"port": _PORT_NAME},
                "period_seconds": 10,
                "timeout_seconds": 5,
                "failure_threshold": 6,
            },
            "readiness_probe": _ping(failure_threshold=3),
        },
        user=_USER,
        token=False,
        mounts=[
            {"name": "data", "mount_path": _DATA_FOLDER},
            {"name": "configuration", "mount_path": _FOLDER, "read_only": True},
        ],
        volumes=[
            {"name": "data", "persistent_volume_claim": {"claim_name": names.REDIS}},
            {"name": "configuration", "config_map": {"name": names.REDIS}},
        ],
        sidecars=[_exporter(redis)] if watched else [],
        volume_group=_USER,
    )
    return {**pod, "termination_grace_period_seconds": _GRACE_SECONDS}


def _ping(*, failure_threshold: int) -> k8s.core.v1.ProbeArgsDict:
    return {
        "exec_": {"command": ["sh", "-c", "redis-cli ping | grep -q PONG"]},
        "period_seconds": 5,
        "timeout_seconds": 5,
        "failure_threshold": failure_threshold,
    }


def _exporter(redis: Redis) -> k8s.core.v1.ContainerArgsDict:
    return {
        "name": "exporter",
        "image": images.REDIS_EXPORTER,
        "env": [
            {"name": "REDIS_ADDR", "value": f"redis://localhost:{REDIS_PORT}"},
            _password(redis, "REDIS_PASSWORD"),
        ],
        "ports": [{"name": EXPORTER_PORT_NAME, "container_port": names.EXPORTER_PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "liveness_probe": probe("/health", EXPORTER_PORT_NAME),
    }


def _password(redis: Redis, variable: str) -> k8s.core.v1.EnvVarArgsDict:
    assert redis.password_secret is not None
    return secret_variable(variable, redis.password_secret)


def stateful_set_spec(redis: Redis, stack: StackSettings) -> k8s.apps.v1.StatefulSetSpecArgsDict:
    """The StatefulSetSpec: one Redis, which two never write the volume of."""
    annotations = {CHECKSUM: checksum({FILE: redis_config(redis)})}
    if stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP:
        annotations |= scrape_annotations(names.EXPORTER_PORT)
    return {
        "replicas": 1,
        "service_name": names.REDIS,
        "revision_history_limit": 5,
        "selector": {"match_labels": names.selector(names.REDIS)},
        "template": {
            "metadata": {"labels": names.labels(stack, names.REDIS), "annotations": annotations},
            "spec": redis_pod(redis, stack),
        },
    }


def claim_spec(redis: Redis) -> k8s.core.v1.PersistentVolumeClaimSpecArgsDict:
    """The PersistentVolumeClaimSpec of the volume that the log is on."""
    spec: k8s.core.v1.PersistentVolumeClaimSpecArgsDict = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": redis.storage}},
    }
    if redis.storage_class is not None:
        spec["storage_class_name"] = redis.storage_class
    return spec


def service_spec(stack: StackSettings) -> k8s.core.v1.ServiceSpecArgsDict:
    """The ServiceSpec of Redis, with the port of its metrics where something monitors."""
    ports = {_PORT_NAME: REDIS_PORT}
    if stack.monitoring.delivery is not MonitoringDelivery.NONE:
        ports[EXPORTER_PORT_NAME] = names.EXPORTER_PORT
    return {
        "type": "ClusterIP",
        "selector": names.selector(names.REDIS),
        "ports": [
            {"name": name, "port": port, "target_port": name, "protocol": "TCP"}
            for name, port in ports.items()
        ],
    }


class OnlineStore(pulumi.ComponentResource):
    """Redis with its volume, which outlives it unless the stack file says otherwise.

    Attributes:
        ready: What must be there before anything is written to it.
    """

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, redis: Redis, stack: StackSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ml-deployments:index:OnlineStore", name, None, opts)
        child = child_options(self, opts)
        metadata = names.metadata(stack, names.REDIS)
        account = k8s.core.v1.ServiceAccount(
            names.REDIS, metadata=metadata, automount_service_account_token=False, opts=child
        )
        keep = {} if redis.delete_data else naming.kept()
        claim = k8s.core.v1.PersistentVolumeClaim(
            names.REDIS,
            # Some classes make no volume before a pod asks for it, so there is nothing to wait for.
            metadata=naming.not_awaited(
                {**metadata, "annotations": {**naming.annotations(stack.stage), **keep}}
            ),
            spec=claim_spec(redis),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(retain_on_delete=not redis.delete_data)
            ),
        )
        config = k8s.core.v1.ConfigMap(
            names.REDIS, metadata=metadata, data={FILE: redis_config(redis)}, opts=child
        )
        service = k8s.core.v1.Service(
            names.REDIS, metadata=naming.not_awaited(metadata), spec=service_spec(stack), opts=child
        )
        stateful_set = k8s.apps.v1.StatefulSet(
            names.REDIS,
            metadata=metadata,
            spec=stateful_set_spec(redis, stack),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[account, claim, config])
            ),
        )
        self.ready = [service, stateful_set]
        self.register_outputs({})
