"""The pods that run Feast: image, secrets and configuration of the feature servers and of the jobs. Pure functions."""

import hashlib
from collections.abc import Sequence

from components.feature_store import names
from components.feature_store.feast_yaml import FILE, feature_store_yaml
from components.kubernetes.containers import (
    env_source,
    env_variables,
    resource_requirements,
    secret_variable,
)
from components.kubernetes.objects import Manifest
from components.kubernetes.pods import container, pod_spec
from components.settings.feature_store import (
    REDIS_PASSWORD,
    REGISTRY_URL,
    FeatureStoreSettings,
)
from components.settings.pod import Resources
from components.settings.stack import PROJECT, StackSettings

CHECKSUM = f"{PROJECT}/configuration"
_FOLDER = "/etc/feast"


def feast(repository: str, *arguments: str, file: str = f"{_FOLDER}/{FILE}") -> list[str]:
    """A Feast command on a configuration, by default the mounted one.

    Args:
        repository: The folder that Feast uses as its feature repository.
        arguments: Feast's own command and its options.
        file: The configuration.
    """
    return ["feast", "--chdir", repository, "--feature-store-yaml", file, *arguments]


def configuration(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    """The ConfigMap's data: feature_store.yaml."""
    return {FILE: feature_store_yaml(store, stack.stage, names.redis_host(stack))}


def checksum(data: dict[str, str]) -> str:
    """A checksum that rolls the pods when the data changes: 64 hexadecimal digits."""
    return hashlib.sha256("\0".join(f"{key}\0{data[key]}" for key in sorted(data)).encode()).hexdigest()


def feast_pod(
    store: FeatureStoreSettings,
    own: Manifest,
    resources: Resources,
    *,
    mounts: Sequence[Manifest] = (),
    volumes: Sequence[Manifest] = (),
) -> Manifest:
    """The PodSpec of a pod that runs Feast, hardened as the models are.

    Args:
        store: The stage's feature store.
        own: The container's own fields: name, command, ports, probes.
        resources: Its requests and limits.
        mounts: Its mounts besides its configuration.
        volumes: The volumes it mounts.
    """
    feast_container = container(
        {
            **own,
            "image": store.image_reference,
            "env": _environment(store),
            "envFrom": [env_source(source) for source in store.env_from],
            "resources": resource_requirements(resources),
        },
        mounts=[{"name": "configuration", "mountPath": _FOLDER, "readOnly": True}, *mounts],
    )
    spec = pod_spec(
        names.SERVER,
        [feast_container],
        volumes=[{"name": "configuration", "configMap": {"name": names.CONFIGURATION}}, *volumes],
    )
    return {**spec, "imagePullSecrets": [{"name": name} for name in store.image_pull_secrets]}


def _environment(store: FeatureStoreSettings) -> list[Manifest]:
    # The root file system is read-only, and libraries cache files in the home folder.
    found: list[Manifest] = [{"name": "HOME", "value": "/tmp"}]
    if store.online.redis.password_secret is not None:
        found.append(secret_variable(REDIS_PASSWORD, store.online.redis.password_secret))
    if store.registry.sql is not None:
        found.append(secret_variable(REGISTRY_URL, store.registry.sql.url_secret))
    return [*found, *env_variables(store.env)]
