"""The pod of a model server: container, environment and placement. Pure functions."""

from components.feature_store import names as feature_store_names
from components.kubernetes.containers import (
    env_source,
    env_variables,
    model_probe,
    pause_before_stop,
    resource_requirements,
)
from components.kubernetes.objects import Manifest
from components.kubernetes.pods import NODE, ZONE, container, container_port, pod_spec, spread_by_version
from components.kubernetes.staged_model import CONTAINER, StagedModel
from components.settings.model import FEATURE_SERVICE, FEATURE_STORE_URL, MODEL_NAME, MODEL_VERSION
from components.settings.pod import Mount, Toleration


def model_pod(staged: StagedModel) -> Manifest:
    """The PodSpec of one replica."""
    model, security = staged.model, staged.model.security
    pod = pod_spec(
        model.name,
        [_server(staged)],
        token=security.mount_service_account_token,
        user=security.run_as_user,
        run_as_non_root=security.run_as_non_root,
        tmp_size=security.tmp_size_limit,
        volumes=[_volume(index, mount) for index, mount in enumerate(model.mounts)],
    )
    return {
        **pod,
        "terminationGracePeriodSeconds": model.shutdown.grace_period_seconds,
        "topologySpreadConstraints": [
            spread_by_version(staged.selector, key)
            for key, wanted in ((ZONE, model.spread.zones), (NODE, model.spread.nodes))
            if wanted
        ],
        "nodeSelector": dict(sorted(model.node_selector.items())),
        "tolerations": [_toleration(toleration) for toleration in model.tolerations],
        "imagePullSecrets": [{"name": name} for name in model.image_pull_secrets],
    }


def _server(staged: StagedModel) -> Manifest:
    model = staged.model
    return container(
        {
            "name": CONTAINER,
            "image": model.image_reference,
            "ports": [container_port(name, port) for name, port in model.ports.items()],
            "env": [
                *(
                    {"name": name, "value": value}
                    for name, value in _program_env(staged).items()
                    if name not in model.env
                ),
                *env_variables(model.env),
            ],
            "envFrom": [env_source(source) for source in model.env_from],
            "resources": resource_requirements(model.resources),
            "startupProbe": model_probe(model.probes.startup),
            "livenessProbe": model_probe(model.probes.liveness),
            "readinessProbe": model_probe(model.probes.readiness),
            "lifecycle": pause_before_stop(model.shutdown.pre_stop_sleep_seconds),
        },
        mounts=[_volume_mount(index, mount) for index, mount in enumerate(model.mounts)],
        read_only_root_filesystem=model.security.read_only_root_filesystem,
    )


def _program_env(staged: StagedModel) -> dict[str, str]:
    """The model's name and version, the address of the feature store, and the feature service that the model reads."""
    model = staged.model
    found = {MODEL_NAME: model.name, MODEL_VERSION: model.version}
    if model.features is not None:
        found[FEATURE_STORE_URL] = feature_store_names.server_url(staged.stack)
        found[FEATURE_SERVICE] = model.features.service
    return found


def _volume(index: int, mount: Mount) -> Manifest:
    if mount.secret is not None:
        return {"name": f"mount-{index}", "secret": {"secretName": mount.secret}}
    return {"name": f"mount-{index}", "configMap": {"name": mount.config_map}}


def _volume_mount(index: int, mount: Mount) -> Manifest:
    return {"name": f"mount-{index}", "mountPath": mount.path, "readOnly": True}


def _toleration(toleration: Toleration) -> Manifest:
    fields = {
        "operator": toleration.operator,
        "key": toleration.key,
        "value": toleration.value,
        "effect": toleration.effect,
        "tolerationSeconds": toleration.toleration_seconds,
    }
    return {name: value for name, value in fields.items() if value is not None}
