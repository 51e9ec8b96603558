"""The pods that run Feast: image, secrets and configuration of the feature servers and of the jobs. Pure functions."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from components.feature_store import names
from components.feature_store.feast_yaml import CA_FILE, FILE, feature_store_yaml
from components.feature_store.redis_users import login
from components.feature_store.routes import routes_file
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
    REDIS_USER,
    REGISTRY_URL,
    FeatureStoreSettings,
)
from components.settings.pod import KeyReference, Resources
from components.settings.redis import CertificateAuthority
from components.settings.stack import PROJECT, StackSettings

CHECKSUM = f"{PROJECT}/configuration"
_CA = "redis-ca"
FOLDER = "/etc/feast"


def feast(repository: str, *arguments: str, file: str = f"{FOLDER}/{FILE}") -> list[str]:
    """A Feast command on a configuration, by default the mounted one.

    Args:
        repository: The folder that Feast uses as its feature repository.
        arguments: Feast's own command and its options.
        file: The configuration.
    """
    return ["feast", "--chdir", repository, "--feature-store-yaml", file, *arguments]


def configuration(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    """What the jobs read of the ConfigMap: feature_store.yaml."""
    return {FILE: feature_store_yaml(store, stack.stage, names.redis_host(stack))}


def server_configuration(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    """The ConfigMap's data, which the servers read: feature_store.yaml, and what they answer."""
    return {**configuration(store, stack), **routes_file()}


def checksum(data: dict[str, str]) -> str:
    """A checksum that rolls the pods when the data changes: 64 hexadecimal digits."""
    return hashlib.sha256("\0".join(f"{key}\0{data[key]}" for key in sorted(data)).encode()).hexdigest()


def feast_pod(
    store: FeatureStoreSettings,
    own: Manifest,
    resources: Resources,
    *,
    reads: bool = False,
    mounts: Sequence[Manifest] = (),
    volumes: Sequence[Manifest] = (),
) -> Manifest:
    """The PodSpec of a pod that runs Feast, hardened as the models are.

    Args:
        store: The stage's feature store.
        own: The container's own fields: name, command, ports, probes.
        resources: Its requests and limits.
        reads: Whether it only reads the online store.
        mounts: Its mounts besides its configuration.
        volumes: The volumes it mounts.
    """
    ca = store.online.redis.ca
    feast_container = container(
        {
            **own,
            "image": store.image_reference,
            "env": _environment(store, reads=reads),
            "envFrom": [env_source(source) for source in store.env_from],
            "resources": resource_requirements(resources),
        },
        mounts=[
            {"name": "configuration", "mountPath": FOLDER, "readOnly": True},
            *(
                []
                if ca is None
                else [{"name": _CA, "mountPath": str(PurePosixPath(CA_FILE).parent), "readOnly": True}]
            ),
            *mounts,
        ],
    )
    spec = pod_spec(
        names.SERVER,
        [feast_container],
        volumes=[
            {"name": "configuration", "configMap": {"name": names.CONFIGURATION}},
            *([] if ca is None else [_ca_volume(ca)]),
            *volumes,
        ],
    )
    return {**spec, "imagePullSecrets": [{"name": name} for name in store.image_pull_secrets]}


def _ca_volume(ca: CertificateAuthority) -> Manifest:
    """The volume with one file, whatever the key's name is."""
    if ca.secret is not None:
        source: Manifest = {"secret": {"secretName": ca.secret.name, "items": _ca_items(ca.secret)}}
    else:
        assert ca.config_map is not None
        source = {"configMap": {"name": ca.config_map.name, "items": _ca_items(ca.config_map)}}
    return {"name": _CA, **source}


def _ca_items(key: KeyReference) -> list[Manifest]:
    return [{"key": key.key, "path": PurePosixPath(CA_FILE).name}]


def _environment(store: FeatureStoreSettings, *, reads: bool) -> list[Manifest]:
    # The root file system is read-only, and libraries cache files in the home folder.
    found: list[Manifest] = [{"name": "HOME", "value": "/tmp"}]
    redis = login(store.online.redis, reads=reads)
    if redis.user is not None:
        found.append({"name": REDIS_USER, "value": redis.user})
    if redis.password is not None:
        found.append(secret_variable(REDIS_PASSWORD, redis.password))
    if store.registry.sql is not None:
        found.append(secret_variable(REGISTRY_URL, store.registry.sql.url_secret))
    return [*found, *env_variables(store.env)]
