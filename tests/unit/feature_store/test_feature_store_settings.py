"""The settings of a feature store: what is refused and why, and the feature_store.yaml generated from them."""

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.errors import Problem
from components.feature_store.feast_yaml import feature_store_yaml
from components.settings.feature_store import FeatureStoreSettings
from components.settings.schedule import longest_pause

SECRET = {"name": "redis", "key": "password"}
READ = {"name": "redis", "key": "read-password"}
OWN = {"install": True, "passwordSecret": SECRET, "readPasswordSecret": READ}
URL = "rediss://r.example.com"
CA = {"configMap": {"name": "redis-ca", "key": "ca.crt"}}
STORE: dict[str, Any] = {
    "owner": "team-features",
    "version": "0.67.0",
    "replicas": 2,
    "online": {"redis": OWN},
    "registry": {"sql": {"urlSecret": {"name": "registry", "key": "url"}}},
    "network": {"egress": [{"cidr": "10.0.0.0/16", "ports": [5432]}]},
}


def store(**changes: Any) -> FeatureStoreSettings:
    return FeatureStoreSettings.model_validate_json(json.dumps({**deepcopy(STORE), **changes}))


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        store(**changes)
    (error,) = caught.value.errors()
    return str(Problem(error["msg"], error["ctx"]["fix"]))


def redis(**settings: Any) -> dict[str, Any]:
    return {"redis": settings}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"online": redis()}, "names no Redis. Fix: write install: true"),
        ({"online": redis(passwordSecret=SECRET)}, "names no Redis"),
        (
            {"online": redis(install=True, url="redis://r.example.com", passwordSecret=SECRET)},
            "has both install: true and url. Fix: keep one",
        ),
        ({"online": redis(install=True)}, "needs passwordSecret"),
        (
            {"online": redis(install=True, passwordSecret=SECRET)},
            "needs readPasswordSecret, or the feature servers could write. Fix: add a key",
        ),
        ({"online": redis(**{**OWN, "readPasswordSecret": SECRET})}, "name the same key"),
        ({"online": redis(**OWN, user="w", ca=CA)}, "ca, user has no effect on the stage's own Redis"),
        ({"online": redis(url="redis://r.example.com", ca=CA)}, "ca has no effect without TLS"),
        ({"online": redis(url=URL, ca={})}, "must name either a secret or a configMap"),
        ({"online": redis(url=URL, user="w")}, "user has no password"),
        (
            {"online": redis(url=URL, user="w", passwordSecret=SECRET, readUser="r")},
            "has only one of readUser",
        ),
        (
            {
                "online": redis(
                    url=URL, user="r", passwordSecret=SECRET, readUser="r", readPasswordSecret=READ
                )
            },
            "user and readUser are the same",
        ),
        ({"online": redis(url="redis://r.example.com", memory="2Gi")}, "memory has no effect on an existing"),
        (
            {"online": redis(url="redis://:secret@r.example.com")},
            "no secret is ever in git. Fix: name the password",
        ),
        (
            {"online": redis(url="http://r.example.com")},
            "must be the address of a Redis. Fix: write it like redis://",
        ),
        ({"online": redis(url="redis://r.example.com:99999")}, "must be the address of a Redis"),
        ({"online": redis(url="redis://r.example.com/0?ssl=1")}, "has more than a host"),
        ({"online": redis(**OWN, memory="1Mi")}, "memory 1Mi is below 64Mi"),
        ({"registry": {}}, "must name either sql or objectStore"),
        (
            {"registry": {"objectStore": {"path": "s3://b/r.pb"}, "sql": STORE["registry"]["sql"]}},
            "must name either sql or objectStore",
        ),
        ({"registry": {"objectStore": {"path": "/tmp/registry.db"}}}, "must be a file in an object store"),
        ({"network": {}}, "egress is empty, so nothing could reach what registry names"),
        ({"env": {"FEATURE_STORE_REGISTRY_URL": {"value": "x"}}}, "is set by the program"),
        ({"watch": {"freshness": "10m"}}, "(10m) is not above the 600 s between two runs"),
        ({"watch": {"freshnessByView": {"v": "5m"}}}, "watch.v (5m) is not above"),
        ({"watch": {"nullRatio": "10"}}, "must be a fraction between 0 and 1"),
        ({"materialization": {"schedule": "0 3 * * *"}}, "not above the 86400 s between two runs"),
        ({"version": "latest"}, "must name one version"),
    ],
)
def test_what_is_invalid_is_refused_with_its_fix(changes: dict[str, Any], reason: str) -> None:
    message = refusal(**changes)

    assert reason in message
    assert ". Fix: " in message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("every ten minutes", "has 3 fields"),
        ("* * * *", "has 4 fields"),
        ("0 */10 * * * *", "has 6 fields"),
        ("@hourly", "has 1 fields"),
        ("61 * * * *", "no valid minute"),
        ("0 0 30 2 *", "no valid day-of-month"),
        ("0 0 * * 7", "7 for Sunday"),
        ("0 0 * * 1#2", "Kubernetes does not accept"),
        ("0 0 L * *", "Kubernetes does not accept"),
        ("0 0 * * 5L", "Kubernetes does not accept"),
    ],
)
def test_a_schedule_that_is_not_a_cron_expression_is_refused(line: str, reason: str) -> None:
    message = refusal(materialization={"schedule": line})

    assert reason in message
    assert message.partition(". Fix: ")[2]


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("*/10 * * * *", 600),
        ("0,45 * * * *", 2700),
        ("0 9-17/2 * * MON-FRI", 230400),
        ("0 0 * JUL WED", 343 * 86400),
    ],
)
def test_the_longest_pause_of_a_schedule(line: str, seconds: int) -> None:
    assert longest_pause(line).total_seconds() == seconds


def test_the_feature_store_yaml_of_a_redis_of_the_stage_and_a_sql_registry() -> None:
    found = yaml.safe_load(feature_store_yaml(store(), "staging-eu", "feature-store-redis.ml.svc"))

    assert found == {
        "project": "ml_deployments_staging_eu",
        "provider": "local",
        "registry": {
            "registry_type": "sql",
            "path": "${FEATURE_STORE_REGISTRY_URL}",
            "serve_features_while_materializing": True,
            "cache_ttl_seconds": 60,
        },
        "online_store": {
            "type": "redis",
            "connection_string": (
                'feature-store-redis.ml.svc:6379,username="${FEATURE_STORE_REDIS_USER}",'
                'password="${FEATURE_STORE_REDIS_PASSWORD}"'
            ),
        },
        "offline_store": {"type": "dask"},
        "entity_key_serialization_version": 3,
        "feature_server": {"type": "local", "enabled": True, "metrics": {"enabled": True}},
    }


def test_the_feature_store_yaml_of_an_existing_redis_and_an_object_store() -> None:
    text = feature_store_yaml(
        store(
            online=redis(url="rediss://r.example.com:6380/2"),
            registry={"objectStore": {"path": "s3://bucket/registry.pb"}},
            offline="duckdb",
            registryRefreshSeconds=5,
        ),
        "test",
        "",
    )
    found = yaml.safe_load(text)

    assert found["online_store"]["connection_string"] == "r.example.com:6380,db=2,ssl=true"
    assert found["registry"] == {
        "registry_type": "file",
        "path": "s3://bucket/registry.pb",
        "cache_ttl_seconds": 5,
    }
    assert found["offline_store"] == {"type": "duckdb"}


@pytest.mark.parametrize("secret", ["12345", "a: b #c", "1e5", "true", "x=y@z{}[]"])
def test_a_secret_comes_through_as_it_is(secret: str) -> None:
    """Feast puts variables into the text, reads YAML, splits at commas and reads each value as JSON."""
    text = feature_store_yaml(store(), "test", "redis").replace("${FEATURE_STORE_REDIS_PASSWORD}", secret)
    text = text.replace("${FEATURE_STORE_REGISTRY_URL}", f"postgresql+psycopg://u:{secret}@h/d")
    found = yaml.safe_load(text)
    _, _, option = found["online_store"]["connection_string"].split(",")

    assert json.loads(option.partition("=")[2]) == secret
    assert found["registry"]["path"] == f"postgresql+psycopg://u:{secret}@h/d"
