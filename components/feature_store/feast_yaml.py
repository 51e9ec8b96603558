"""feature_store.yaml: what Feast reads to find the registry and the online store. Pure functions.

Feast substitutes environment variables before it parses the YAML, so no secret is in the file. Texts with a variable
are quoted; otherwise a password with `#` or `: ` in it would be read as something else.
"""

from typing import Any
from urllib.parse import urlsplit

from components.feature_store.redis_users import names_users
from components.files.yaml_text import Quoted, dump
from components.settings.feature_store import (
    REDIS_PASSWORD,
    REDIS_USER,
    REGISTRY_URL,
    FeatureStoreSettings,
)
from components.settings.redis import REDIS_PORT, Redis
from components.settings.stack import PROJECT

FILE = "feature_store.yaml"
# Where the certificates of the authority of an existing Redis are in the pods.
CA_FILE = "/etc/redis-ca/ca.crt"
# The version of Feast's keys in the online store. Changing it makes everything stored unreadable.
_KEY_VERSION = 3


def feast_project(stage: str) -> str:
    """Feast's own name of the stage. Every key ends with it, so stages may share a Redis and a registry."""
    return f"{PROJECT}-{stage}".replace("-", "_")


def feature_store_yaml(
    store: FeatureStoreSettings, stage: str, redis_host: str, *, overwrites: bool = False
) -> str:
    """The text of feature_store.yaml.

    Args:
        store: The stage's feature store.
        stage: The stage's name.
        redis_host: The host of the stage's own Redis; an existing one is named by its URL.
        overwrites: Whether a row replaces what is stored for its entity, even if that is newer.
    """
    data: dict[str, Any] = {
        "project": feast_project(stage),
        "provider": "local",
        "registry": _registry(store),
        "online_store": {
            "type": "redis",
            "connection_string": Quoted(connection_string(store.online.redis, redis_host)),
            **({"skip_dedup": True} if overwrites else {}),
        },
        "offline_store": {"type": store.offline.value},
        "entity_key_serialization_version": _KEY_VERSION,
        "feature_server": {"type": "local", "enabled": True, "metrics": {"enabled": True}},
    }
    return dump(data)


def connection_string(redis: Redis, redis_host: str) -> str:
    """Feast's form of an address: `host:port,option=value,...`.

    Values are read as JSON where they can be: without its quotes, a password of digits would become a number.
    """
    url = urlsplit(redis.url or f"redis://{redis_host}:{REDIS_PORT}")
    parts = [f"{url.hostname}:{url.port or REDIS_PORT}"]
    if url.path.strip("/"):
        parts.append(f"db={url.path.strip('/')}")
    if url.scheme == "rediss":
        parts.append("ssl=true")
    if redis.ca is not None:
        parts.append(f"ssl_ca_certs={CA_FILE}")
    if names_users(redis):
        parts.append(f'username="${{{REDIS_USER}}}"')
    if redis.password_secret is not None:
        parts.append(f'password="${{{REDIS_PASSWORD}}}"')
    return ",".join(parts)


def _registry(store: FeatureStoreSettings) -> dict[str, Any]:
    refresh = {"cache_ttl_seconds": store.registry_refresh_seconds}
    if store.registry.object_store is not None:
        return {"registry_type": "file", "path": store.registry.object_store.path, **refresh}
    return {
        "registry_type": "sql",
        "path": Quoted(f"${{{REGISTRY_URL}}}"),
        # Without it, every server refuses to read a view while a job materialises it.
        "serve_features_while_materializing": True,
        **refresh,
    }
