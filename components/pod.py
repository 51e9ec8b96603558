"""The pod of a model server: container, probes, security, environment and placement. Pure functions."""

from typing import Any

from components import naming
from components.model_settings import EnvValue, ModelSettings, Mount, Probe

# The field names below are those of the Kubernetes API, so each function reads like a manifest.
Spec = dict[str, Any]
CONTAINER = "server"


def pod_spec(model: ModelSettings) -> Spec:
    """The PodSpec of one replica."""
    security = model.security
    return {
        "serviceAccountName": model.name,
        "automountServiceAccountToken": security.mount_service_account_token,
        # Older Kubernetes variables for every Service would slow the start in a large namespace.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": model.shutdown.grace_period_seconds,
        "securityContext": _without_none(
            {
                "runAsNonRoot": security.run_as_non_root,
                "runAsUser": security.run_as_user,
                "seccompProfile": {"type": "RuntimeDefault"},
            }
        ),
        "containers": [_container(model)],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": security.tmp_size_limit}},
            *(_volume(index, mount) for index, mount in enumerate(model.mounts)),
        ],
        **_placement(model),
    }


def _container(model: ModelSettings) -> Spec:
    return {
        "name": CONTAINER,
        "image": model.image_reference,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": model.port, "protocol": "TCP"}],
        "env": [
            {"name": "MODEL_NAME", "value": model.name},
            {"name": "MODEL_VERSION", "value": model.version},
            *({"name": name, **_env_value(model.env[name])} for name in sorted(model.env)),
        ],
        "envFrom": [
            {"secretRef": {"name": source.secret}}
            if source.secret
            else {"configMapRef": {"name": source.config_map}}
            for source in model.env_from
        ],
        "resources": {
            "requests": dict(sorted(model.resources.requests.items())),
            "limits": dict(sorted(model.resources.limits.items())),
        },
        "startupProbe": _probe(model.probes.startup),
        "livenessProbe": _probe(model.probes.liveness),
        "readinessProbe": _probe(model.probes.readiness),
        "lifecycle": _lifecycle(model),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": model.security.read_only_root_filesystem,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            *(
                {"name": f"mount-{index}", "mountPath": mount.path, "readOnly": True}
                for index, mount in enumerate(model.mounts)
            ),
        ],
    }


def _env_value(value: EnvValue) -> Spec:
    if value.secret_key_ref is not None:
        reference = value.secret_key_ref
        return {"valueFrom": {"secretKeyRef": {"name": reference.name, "key": reference.key}}}
    if value.config_map_key_ref is not None:
        reference = value.config_map_key_ref
        return {"valueFrom": {"configMapKeyRef": {"name": reference.name, "key": reference.key}}}
    return {"value": value.value}


def _probe(probe: Probe) -> Spec:
    return {
        "httpGet": {"path": probe.path, "port": "http"},
        "initialDelaySeconds": probe.initial_delay_seconds,
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


def _lifecycle(model: ModelSettings) -> Spec:
    """The kubelet's own sleep needs no shell in the image (Kubernetes 1.30 and later)."""
    pause = model.shutdown.pre_stop_sleep_seconds
    return {"preStop": {"sleep": {"seconds": pause}}} if pause else {}


def _volume(index: int, mount: Mount) -> Spec:
    source = (
        {"secret": {"secretName": mount.secret}}
        if mount.secret
        else {"configMap": {"name": mount.config_map}}
    )
    return {"name": f"mount-{index}", **source}


def _placement(model: ModelSettings) -> Spec:
    keys = {
        "topology.kubernetes.io/zone": model.spread.zones,
        "kubernetes.io/hostname": model.spread.nodes,
    }
    placement: Spec = {
        "topologySpreadConstraints": [
            {
                "topologyKey": key,
                "maxSkew": 1,
                # A cluster of one zone or one node must still run the model.
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": naming.selector(model)},
                # Counts the replicas of one version, or a roll would leave the new one unevenly spread.
                "matchLabelKeys": ["pod-template-hash"],
            }
            for key, wanted in keys.items()
            if wanted
        ],
        "nodeSelector": dict(sorted(model.node_selector.items())),
        "tolerations": [
            toleration.model_dump(mode="json", by_alias=True, exclude_none=True)
            for toleration in model.tolerations
        ],
        "imagePullSecrets": [{"name": name} for name in model.image_pull_secrets],
    }
    return {key: value for key, value in placement.items() if value}


def _without_none(spec: Spec) -> Spec:
    return {key: value for key, value in spec.items() if value is not None}
