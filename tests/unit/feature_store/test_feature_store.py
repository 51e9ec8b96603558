"""The objects of a feature store: safe by default, and each of them with what it needs."""

import base64
from pathlib import Path
from typing import Any

import yaml

from sandbox.harness.registrations import record
from tests.support.feature_stores import apply_job, pods, stage
from tests.support.features import OWN_REDIS, STORE, VIEWS
from tests.support.pages import blocks
from tests.support.projects import CHECKOUT, MODEL, Objects, named, project


def test_a_stage_without_a_store_has_none_of_it(tmp_path: Path) -> None:
    found = named(project(tmp_path))

    assert [name for name in found if "feature" in name] == []


def test_every_pod_is_restricted(store_objects: Objects) -> None:
    for name, pod in pods(store_objects).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert "memory" in container["resources"]["limits"]


def test_servers_roll_without_loss_and_a_drain_takes_one_at_a_time(store_objects: Objects) -> None:
    spec = store_objects["Deployment feature-store"]["spec"]
    (server,) = pods(store_objects)["server"]["containers"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert store_objects["PodDisruptionBudget feature-store"]["spec"]["maxUnavailable"] == 1
    assert server["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert server["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    # An unavailable registry must not restart what can still answer.
    assert server["livenessProbe"]["tcpSocket"] == {"port": "http"}
    assert len(pods(store_objects)["server"]["topologySpreadConstraints"]) == 2


def test_secrets_come_from_secrets_and_are_not_in_arguments_or_configuration(
    store_objects: Objects,
) -> None:
    for name, pod in pods(store_objects).items():
        for container in pod["containers"]:
            for variable in container.get("env", ()):
                if variable["name"].endswith(("PASSWORD", "AUTH", "REGISTRY_URL")):
                    assert set(variable["valueFrom"]) == {"secretKeyRef"}, name
    (server,) = pods(store_objects)["server"]["containers"]
    assert {v["name"]: v["valueFrom"]["secretKeyRef"] for v in server["env"] if "valueFrom" in v} == {
        "FEATURE_STORE_REDIS_PASSWORD": {"name": "redis", "key": "read-password"},
        "FEATURE_STORE_REGISTRY_URL": {"name": "registry", "key": "url"},
    }
    # The shell reads the here-document itself; what it starts has a dash for an argument.
    redis, _ = pods(store_objects)["redis"]["containers"]
    assert "exec redis-server - <<" in redis["command"][2]


def variables(pod: dict[str, Any]) -> list[dict[str, tuple[str, str] | str]]:
    """The variables of each container: texts, and names and keys of Secrets."""
    return [
        {
            v["name"]: tuple(v["valueFrom"]["secretKeyRef"].values()) if "valueFrom" in v else v["value"]
            for v in container["env"]
        }
        for container in pod["containers"]
    ]


def test_jobs_write_servers_and_the_exporter_only_read(store_objects: Objects) -> None:
    by_pod = {name: variables(pod) for name, pod in pods(store_objects).items()}

    for job in ("apply", "materialization"):
        (own,) = by_pod[job]
        assert own["FEATURE_STORE_REDIS_USER"] == "writer"
        assert own["FEATURE_STORE_REDIS_PASSWORD"] == ("redis", "password")
    (server,) = by_pod["server"]
    assert server["FEATURE_STORE_REDIS_USER"] == "reader"
    redis, exporter = by_pod["redis"]
    assert redis == {
        "REDISCLI_AUTH": ("redis", "read-password"),
        "REDIS_WRITER_PASSWORD": ("redis", "password"),
    }
    assert (exporter["REDIS_USER"], exporter["REDIS_PASSWORD"]) == ("reader", ("redis", "read-password"))


def test_a_feature_server_answers_only_reads(store_objects: Objects) -> None:
    data = store_objects["ConfigMap feature-store-configuration"]["data"]
    (server,) = pods(store_objects)["server"]["containers"]

    assert 'ANSWERED = ("/get-online-features", "/health")' in data["static_artifacts.py"]
    # Feast looks for that file in this folder.
    folder = server["command"][server["command"].index("--chdir") + 1]
    assert {"name": "configuration", "mountPath": folder, "readOnly": True} in server["volumeMounts"]


def test_the_users_of_an_existing_redis_and_who_signed_its_certificate(tmp_path: Path) -> None:
    redis = """{url: "rediss://r.example.com:6380", ca: {configMap: {name: redis-ca, key: ca.pem}},
      user: w, passwordSecret: {name: redis, key: w}, readUser: r, readPasswordSecret: {name: redis, key: r}}"""
    found = named(stage(tmp_path, store=STORE.replace(OWN_REDIS, redis)))
    server = found["Deployment feature-store"]["spec"]["template"]["spec"]
    (apply,) = variables(apply_job(found)["spec"]["template"]["spec"])
    (serving,) = variables(server)
    text = yaml.safe_load(found["ConfigMap feature-store-configuration"]["data"]["feature_store.yaml"])

    assert text["online_store"]["connection_string"] == (
        "r.example.com:6380,ssl=true,ssl_ca_certs=/etc/redis-ca/ca.crt,"
        'username="${FEATURE_STORE_REDIS_USER}",password="${FEATURE_STORE_REDIS_PASSWORD}"'
    )
    login = ("FEATURE_STORE_REDIS_USER", "FEATURE_STORE_REDIS_PASSWORD")
    assert [apply[name] for name in login] == ["w", ("redis", "w")]
    assert [serving[name] for name in login] == ["r", ("redis", "r")]
    assert {
        "name": "redis-ca",
        "configMap": {"name": "redis-ca", "items": [{"key": "ca.pem", "path": "ca.crt"}]},
    } in server["volumes"]
    mount = {"name": "redis-ca", "mountPath": "/etc/redis-ca", "readOnly": True}
    assert mount in server["containers"][0]["volumeMounts"]


def test_an_existing_redis_without_users_is_reached_as_before(tmp_path: Path) -> None:
    redis = "{url: 'redis://r.example.com', passwordSecret: {name: redis, key: password}}"
    found = named(stage(tmp_path, store=STORE.replace(OWN_REDIS, redis)))
    (apply,) = variables(apply_job(found)["spec"]["template"]["spec"])

    assert "FEATURE_STORE_REDIS_USER" not in apply
    text = found["ConfigMap feature-store-configuration"]["data"]["feature_store.yaml"]
    assert 'r.example.com:6379,password="${FEATURE_STORE_REDIS_PASSWORD}"' in text


def test_redis_keeps_its_data_and_refuses_to_grow_beyond_its_memory(tmp_path: Path) -> None:
    store = STORE.replace(
        "install: true,", "install: true, memory: 2Gi, evictionPolicy: allkeys-lru, storage: 5Gi,"
    )
    found = named(stage(tmp_path, store=store))
    config = dict(
        line.split(" ", 1)
        for line in found["ConfigMap feature-store-redis"]["data"]["redis.conf"].splitlines()
    )

    assert config["appendonly"] == "yes"
    assert config["maxmemory"] == str(2 * 1024**3 * 3 // 4)
    assert config["maxmemory-policy"] == "allkeys-lru"
    claim = found["PersistentVolumeClaim feature-store-redis"]["spec"]
    assert claim["resources"]["requests"]["storage"] == "5Gi"
    (volume,) = [v for v in pods(found)["redis"]["volumes"] if v["name"] == "data"]
    assert volume["persistentVolumeClaim"]["claimName"] == "feature-store-redis"
    assert pods(found)["redis"]["containers"][0]["resources"]["limits"]["memory"] == "2Gi"


def test_an_existing_redis_adds_no_redis(tmp_path: Path) -> None:
    store = STORE.replace(OWN_REDIS, "{url: 'redis://r.example.com'}")
    found = named(stage(tmp_path, store=store))

    assert [name for name in found if "redis" in name] == []
    assert (
        "r.example.com:6379" in found["ConfigMap feature-store-configuration"]["data"]["feature_store.yaml"]
    )


def test_definitions_reach_the_job_as_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "features" / "shared").mkdir(parents=True)
    (tmp_path / "features" / "shared" / "types.py").write_text("SOME = 1\n")
    found = named(stage(tmp_path))
    (container,) = pods(found)["apply"]["containers"]
    mounted = {m["subPath"]: m["mountPath"] for m in container["volumeMounts"] if "subPath" in m}

    assert mounted == {
        "entities.py": "/features/entities.py",
        "views.py": "/features/views.py",
        "shared.types.py": "/features/shared/types.py",
    }
    assert found["ConfigMap feature-store-definitions"]["data"]["views.py"] == VIEWS
    assert container["command"][:3] == ["feast", "--chdir", "/features"]
    assert container["command"][5] == "apply"


def test_materialisation_never_runs_twice_at_once_ends_in_time_and_keeps_a_few_runs(tmp_path: Path) -> None:
    more = "    materialization: {schedule: '*/5 * * * *', deadlineSeconds: 240, failedHistory: 2}\n"
    spec = named(stage(tmp_path, more=more))["CronJob feature-store-materialization"]["spec"]

    assert spec["schedule"] == "*/5 * * * *"
    assert spec["timeZone"] == "Etc/UTC"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 2)
    assert spec["startingDeadlineSeconds"] == 300
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == 240
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = job["template"]["spec"]["containers"]
    assert "materialize-incremental" in container["command"][2]


def test_a_model_that_reads_features_gets_their_address(store_objects: Objects) -> None:
    def environment(model: str) -> dict[str, str]:
        (container,) = store_objects[f"Deployment {model}"]["spec"]["template"]["spec"]["containers"]
        return {v["name"]: v["value"] for v in container["env"]}

    assert environment("a") == {
        "MODEL_NAME": "a",
        "MODEL_VERSION": "v1",
        "FEATURE_STORE_URL": "http://feature-store.ml-test.svc:6566",
        "FEATURE_SERVICE": "sentiment_v1",
    }


def test_every_part_is_a_child_of_the_store(tmp_path: Path) -> None:
    types = {r.type for r in record(stage(tmp_path), "test") if r.type.startswith("ml-deployments:")}

    assert {
        f"ml-deployments:index:{name}"
        for name in ("FeatureStore", "FeatureServer", "FeatureJobs", "OnlineStore")
    } <= types


def test_the_password_is_nowhere_in_what_is_rendered(store_objects: Objects) -> None:
    text = str(store_objects)

    assert base64.b64encode(b"password").decode() not in text
    assert "requirepass" not in text
    assert '#$(checksum "$REDISCLI_AUTH")' in text


def test_the_page_of_the_feature_store_shows_what_is_accepted(tmp_path: Path) -> None:
    stack_part, model_part = blocks(CHECKOUT / "docs" / "feature-store.md", "yaml")
    found = named(stage(tmp_path, store=stack_part.partition("config:\n")[2], model=MODEL + model_part))

    assert "Deployment feature-store" in found
