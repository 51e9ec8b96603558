"""The pods that run Feast: image, secrets and configuration of the feature servers and of the jobs. Pure functions."""

import hashlib
from collections.abc import Sequence

import pulumi_kubernetes as k8s

from components.feature_store import names
from components.feature_store.feast_yaml import FILE, feature_store_yaml
from components.kubernetes.support_server import pod_spec
from components.serving.pod import env_source, env_variable
from components.settings.feature_store import (
    REDIS_PASSWORD,
    REGISTRY_URL,
    FeatureStoreSettings,
)
from components.settings.pod import KeyReference, Resources
from components.settings.stack import PROJECT, StackSettings

CHECKSUM = f"{PROJECT}/configuration"
_FOLDER = "/etc/feast"


def feast(repository: str, *arguments: str, file: str = f"{_FOLDER}/{FILE}") -> list[str]:
    """A Feast command on a configuration, by default the mounted one.

    Args:
        repository: The folder that Feast takes for its feature repository.
        arguments: Feast's own command and its options.
        file: The configuration.
    """
    return ["feast", "--chdir", repository, "--feature-store-yaml", file, *arguments]


def configuration(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    """The ConfigMap's data: feature_store.yaml."""
    return {FILE: feature_store_yaml(store, stack.stage, names.redis_host(stack))}


def checksum(data: dict[str, str]) -> str:
    """Rolls what reads the data when it changes: 64 hexadecimal digits."""
    return hashlib.sha256("\0".join(f"{key}\0{data[key]}" for key in sorted(data)).encode()).hexdigest()


def secret_variable(name: str, reference: KeyReference) -> k8s.core.v1.EnvVarArgsDict:
    """A variable whose value is a key of a Secret."""
    return {"name": name, "value_from": {"secret_key_ref": {"name": reference.name, "key": reference.key}}}


def feast_pod(
    store: FeatureStoreSettings,
    container: k8s.core.v1.ContainerArgsDict,
    resources: Resources,
    *,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = (),
) -> k8s.core.v1.PodSpecArgsDict:
    """The PodSpec of a pod that runs Feast, hardened as the models are.

    Args:
        store: The stage's feature store.
        container: What is its own: name, command, ports, probes.
        resources: What it asks of its node.
        mounts: What it mounts besides its configuration.
        volumes: The volumes it mounts.
    """
    spec = pod_spec(
        {
            **container,
            "image": store.image_reference,
            "env": _environment(store),
            "env_from": [env_source(source) for source in store.env_from],
            "resources": {
                "requests": dict(sorted(resources.requests.items())),
                "limits": dict(sorted(resources.limits.items())),
            },
        },
        user=None,
        token=False,
        mounts=[{"name": "configuration", "mount_path": _FOLDER, "read_only": True}, *mounts],
        volumes=[{"name": "configuration", "config_map": {"name": names.CONFIGURATION}}, *volumes],
    )
    return {
        **spec,
        "service_account_name": names.SERVER,
        "image_pull_secrets": [{"name": name} for name in store.image_pull_secrets],
    }


def _environment(store: FeatureStoreSettings) -> list[k8s.core.v1.EnvVarArgsDict]:
    # The root file system is read-only, and libraries keep what they fetch in the home folder.
    found: list[k8s.core.v1.EnvVarArgsDict] = [{"name": "HOME", "value": "/tmp"}]
    if store.online.redis.password_secret is not None:
        found.append(secret_variable(REDIS_PASSWORD, store.online.redis.password_secret))
    if store.registry.sql is not None:
        found.append(secret_variable(REGISTRY_URL, store.registry.sql.url_secret))
    return [*found, *(env_variable(name, store.env[name]) for name in sorted(store.env))]
