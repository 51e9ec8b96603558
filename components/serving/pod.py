"""The pod of a model server: container, probes, security, environment and placement. Pure functions."""

from collections.abc import Mapping

import pulumi_kubernetes as k8s

from components.feature_store import names as feature_store_names
from components.kubernetes import naming
from components.kubernetes.pod_security import container_security, pod_security
from components.settings.model import FEATURE_SERVICE, FEATURE_STORE_URL, ModelSettings
from components.settings.pod import EnvSource, EnvValue, Mount, Probe, Toleration
from components.settings.stack import StackSettings

CONTAINER = "server"
ZONE = "topology.kubernetes.io/zone"
NODE = "kubernetes.io/hostname"


def pod_spec(model: ModelSettings, stack: StackSettings) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec of one replica."""
    security = model.security
    spec: k8s.core.v1.PodSpecArgsDict = {
        "service_account_name": model.name,
        "automount_service_account_token": security.mount_service_account_token,
        # Variables for every Service of the namespace would slow the start in a large one.
        "enable_service_links": False,
        "termination_grace_period_seconds": model.shutdown.grace_period_seconds,
        "security_context": pod_security(
            run_as_non_root=security.run_as_non_root, run_as_user=security.run_as_user
        ),
        "containers": [_container(model, stack)],
        "volumes": [
            {"name": "tmp", "empty_dir": {"size_limit": security.tmp_size_limit}},
            *(_volume(index, mount) for index, mount in enumerate(model.mounts)),
        ],
        "topology_spread_constraints": [
            spread(naming.selector(model), key)
            for key, wanted in ((ZONE, model.spread.zones), (NODE, model.spread.nodes))
            if wanted
        ],
        "node_selector": dict(sorted(model.node_selector.items())),
        "tolerations": [_toleration(toleration) for toleration in model.tolerations],
        "image_pull_secrets": [{"name": name} for name in model.image_pull_secrets],
    }
    return spec


def _container(model: ModelSettings, stack: StackSettings) -> k8s.core.v1.ContainerArgsDict:
    return {
        "name": CONTAINER,
        "image": model.image_reference,
        "image_pull_policy": "IfNotPresent",
        "ports": [
            {"name": name, "container_port": port, "protocol": "TCP"} for name, port in model.ports.items()
        ],
        "env": [
            {"name": "MODEL_NAME", "value": model.name},
            {"name": "MODEL_VERSION", "value": model.version},
            *_features(model, stack),
            *(env_variable(name, model.env[name]) for name in sorted(model.env)),
        ],
        "env_from": [env_source(source) for source in model.env_from],
        "resources": {
            "requests": dict(sorted(model.resources.requests.items())),
            "limits": dict(sorted(model.resources.limits.items())),
        },
        "startup_probe": _probe(model.probes.startup),
        "liveness_probe": _probe(model.probes.liveness),
        "readiness_probe": _probe(model.probes.readiness),
        "lifecycle": _lifecycle(model),
        "security_context": container_security(
            read_only_root_filesystem=model.security.read_only_root_filesystem
        ),
        "volume_mounts": [
            {"name": "tmp", "mount_path": "/tmp"},
            *(_volume_mount(index, mount) for index, mount in enumerate(model.mounts)),
        ],
    }


def _features(model: ModelSettings, stack: StackSettings) -> list[k8s.core.v1.EnvVarArgsDict]:
    """Where the model's features are, and which of them are its own."""
    if model.features is None:
        return []
    return [
        {"name": FEATURE_STORE_URL, "value": feature_store_names.server_url(stack)},
        {"name": FEATURE_SERVICE, "value": model.features.service},
    ]


def env_variable(name: str, value: EnvValue) -> k8s.core.v1.EnvVarArgsDict:
    """An environment variable."""
    if (secret := value.secret_key_ref) is not None:
        return {"name": name, "value_from": {"secret_key_ref": {"name": secret.name, "key": secret.key}}}
    if (config := value.config_map_key_ref) is not None:
        return {"name": name, "value_from": {"config_map_key_ref": {"name": config.name, "key": config.key}}}
    return {"name": name, "value": value.value or ""}


def env_source(source: EnvSource) -> k8s.core.v1.EnvFromSourceArgsDict:
    """All keys of a Secret or ConfigMap as environment variables."""
    if source.secret is not None:
        return {"secret_ref": {"name": source.secret}}
    return {"config_map_ref": {"name": source.config_map or ""}}


def _probe(probe: Probe) -> k8s.core.v1.ProbeArgsDict:
    return {
        "http_get": {"path": probe.path, "port": "http"},
        "initial_delay_seconds": probe.initial_delay_seconds,
        "period_seconds": probe.period_seconds,
        "timeout_seconds": probe.timeout_seconds,
        "failure_threshold": probe.failure_threshold,
    }


def _lifecycle(model: ModelSettings) -> k8s.core.v1.LifecycleArgsDict:
    """The kubelet's own sleep needs no shell in the image (Kubernetes 1.30 and later)."""
    pause = model.shutdown.pre_stop_sleep_seconds
    return {"pre_stop": {"sleep": {"seconds": pause}}} if pause else {}


def _volume(index: int, mount: Mount) -> k8s.core.v1.VolumeArgsDict:
    if mount.secret is not None:
        return {"name": f"mount-{index}", "secret": {"secret_name": mount.secret}}
    return {"name": f"mount-{index}", "config_map": {"name": mount.config_map or ""}}


def _volume_mount(index: int, mount: Mount) -> k8s.core.v1.VolumeMountArgsDict:
    return {"name": f"mount-{index}", "mount_path": mount.path, "read_only": True}


def spread(selector: Mapping[str, str], key: str) -> k8s.core.v1.TopologySpreadConstraintArgsDict:
    """Spreads the pods that a selector finds over zones or nodes."""
    return {
        "topology_key": key,
        "max_skew": 1,
        # A cluster of one zone or one node must still run them.
        "when_unsatisfiable": "ScheduleAnyway",
        "label_selector": {"match_labels": dict(selector)},
        # Counts the replicas of one version, or a roll would leave the new one unevenly spread.
        "match_label_keys": ["pod-template-hash"],
    }


def _toleration(toleration: Toleration) -> k8s.core.v1.TolerationArgsDict:
    spec: k8s.core.v1.TolerationArgsDict = {"operator": toleration.operator}
    if toleration.key is not None:
        spec["key"] = toleration.key
    if toleration.value is not None:
        spec["value"] = toleration.value
    if toleration.effect is not None:
        spec["effect"] = toleration.effect
    if toleration.toleration_seconds is not None:
        spec["toleration_seconds"] = toleration.toleration_seconds
    return spec
