"""OnlineStore: the stage's own Redis with the newest value of each feature."""

from decimal import Decimal

from components.feature_store import names
from components.feature_store.feast_pod import CHECKSUM, checksum
from components.feature_store.feast_yaml import feast_project
from components.feature_store.redis_users import (
    READER,
    READER_PASSWORD,
    WRITER_PASSWORD,
    login,
    redis_start,
)
from components.kubernetes import naming
from components.kubernetes.containers import (
    command_probe,
    http_probe,
    own_resources,
    secret_variable,
    tcp_probe,
)
from components.kubernetes.objects import Component, Manifest, kubernetes_object
from components.kubernetes.pods import container, container_port, pod_spec
from components.kubernetes.scraping import scrape_annotations
from components.kubernetes.workloads import service, service_account, service_spec
from components.settings.monitoring import MonitoringDelivery
from components.settings.quantities import quantity
from components.settings.redis import REDIS_PORT, Redis
from components.settings.stack import StackSettings

FILE = "redis.conf"
EXPORTER_PORT_NAME = "metrics"
_PORT_NAME = "redis"
_DATA_FOLDER = "/data"
_FOLDER = "/etc/redis"
# The user of the official image.
_USER = 999
# Enough to write its log to the end.
_GRACE_SECONDS = 60
# The rest is for copy-on-write pages while a child process rewrites the log.
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


def redis_pod(redis: Redis, stack: StackSettings) -> Manifest:
    """The PodSpec of Redis and, where it is monitored, of the exporter of its metrics."""
    watched = stack.monitoring.delivery is not MonitoringDelivery.NONE
    server = container(
        {
            "name": names.REDIS,
            "image": stack.images.redis.reference,
            "command": ["sh", "-c", redis_start(f"{_FOLDER}/{FILE}", feast_project(stack.stage))],
            "env": [
                *_password(redis, READER_PASSWORD, reads=True),
                *_password(redis, WRITER_PASSWORD, reads=False),
            ],
            "ports": [container_port(_PORT_NAME, REDIS_PORT)],
            "resources": own_resources(cpu="250m", memory=redis.memory, memory_limit=redis.memory),
            # It answers a ping once it has read its log, which may take minutes.
            "startupProbe": _ping(failure_threshold=120),
            "livenessProbe": tcp_probe(_PORT_NAME, failure_threshold=6),
            "readinessProbe": _ping(failure_threshold=3),
        },
        mounts=[
            {"name": "data", "mountPath": _DATA_FOLDER},
            {"name": "configuration", "mountPath": _FOLDER, "readOnly": True},
        ],
    )
    pod = pod_spec(
        names.REDIS,
        [server, *([_exporter(redis, stack)] if watched else [])],
        user=_USER,
        volume_group=_USER,
        image_pull_secrets=stack.images.image_pull_secrets,
        volumes=[
            {"name": "data", "persistentVolumeClaim": {"claimName": names.REDIS}},
            {"name": "configuration", "configMap": {"name": names.REDIS}},
        ],
    )
    return {**pod, "terminationGracePeriodSeconds": _GRACE_SECONDS}


def _ping(*, failure_threshold: int) -> Manifest:
    command = ["sh", "-c", f"redis-cli --user {READER} ping | grep -q PONG"]
    return command_probe(command, period_seconds=5, failure_threshold=failure_threshold)


def _exporter(redis: Redis, stack: StackSettings) -> Manifest:
    return container(
        {
            "name": names.EXPORTER,
            "image": stack.images.redis_exporter.reference,
            "env": [
                {"name": "REDIS_ADDR", "value": f"redis://localhost:{REDIS_PORT}"},
                {"name": "REDIS_USER", "value": READER},
                *_password(redis, "REDIS_PASSWORD", reads=True),
            ],
            "ports": [container_port(EXPORTER_PORT_NAME, names.EXPORTER_PORT)],
            "resources": own_resources(cpu="10m", memory="32Mi", memory_limit="128Mi"),
            "livenessProbe": http_probe("/health", EXPORTER_PORT_NAME),
        }
    )


def _password(redis: Redis, variable: str, *, reads: bool) -> list[Manifest]:
    """The variable with a user's password; the settings do not allow an installed Redis without one."""
    password = login(redis, reads=reads).password
    return [] if password is None else [secret_variable(variable, password)]


def stateful_set_spec(redis: Redis, stack: StackSettings) -> Manifest:
    """The StatefulSetSpec: one Redis, so that two never write the same volume."""
    annotations = {CHECKSUM: checksum({FILE: redis_config(redis)})}
    if stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP:
        annotations |= scrape_annotations(names.EXPORTER_PORT)
    return {
        "replicas": 1,
        "serviceName": names.REDIS,
        "revisionHistoryLimit": 5,
        "selector": {"matchLabels": names.selector(names.REDIS)},
        "template": {
            "metadata": {"labels": names.labels(stack, names.REDIS), "annotations": annotations},
            "spec": redis_pod(redis, stack),
        },
    }


def claim_spec(redis: Redis) -> Manifest:
    """The PersistentVolumeClaimSpec of the volume with the log."""
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": redis.storage}},
    }
    if redis.storage_class is not None:
        spec["storageClassName"] = redis.storage_class
    return spec


def online_store(redis: Redis, stack: StackSettings) -> Component:
    """Redis with its volume, which outlives it unless the stack file says otherwise.

    Args:
        redis: The settings of the Redis.
        stack: The stage.

    Returns:
        The component; it is ready when it can be written to.
    """
    part = names.REDIS
    account = service_account(names.metadata(stack, part))
    keep = {} if redis.delete_data else naming.kept()
    claim = kubernetes_object(
        "PersistentVolumeClaim",
        # Some classes create no volume before a pod uses it, so there is nothing to wait for.
        naming.not_awaited(
            {**names.metadata(stack, part), "annotations": {**naming.annotations(stack.stage), **keep}}
        ),
        {"spec": claim_spec(redis)},
        retain_on_delete=not redis.delete_data,
    )
    config = kubernetes_object(
        "ConfigMap", names.metadata(stack, part), {"data": {FILE: redis_config(redis)}}
    )
    # The port of its metrics exists only where it is monitored.
    ports = {_PORT_NAME: REDIS_PORT}
    if stack.monitoring.delivery is not MonitoringDelivery.NONE:
        ports[EXPORTER_PORT_NAME] = names.EXPORTER_PORT
    address = service(
        names.metadata(stack, part), service_spec(names.selector(part), ports, app_protocol=None)
    )
    stateful_set = kubernetes_object(
        "StatefulSet",
        names.metadata(stack, part),
        {"spec": stateful_set_spec(redis, stack)},
        after=(account, claim, config),
    )
    return Component(
        type="OnlineStore",
        name=part,
        children=(account, claim, config, address, stateful_set),
        ready=(address, stateful_set),
    )
