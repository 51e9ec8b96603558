"""The objects of a feature store: safe by default, reached by who reads from it, and rolled only by what it must."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import feature_series
from delivery.check import check
from delivery.program import record
from delivery.render import manifests
from tests.features import STORE, VIEWS, write_features
from tests.unit.projects import CHECKOUT, MODEL, entry, project
from tests.unit.test_docs import blocks

READS = MODEL + "features: {service: sentiment_v1}\n"
Objects = dict[str, dict[str, Any]]


def stage(folder: Path, *, store: str = STORE, model: str = READS, more: str = "", **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    write_features(folder, **files)
    return project(folder, entry('version: "v1"\nreplicas: 2') + store + more, a=model, b=MODEL)


def named(folder: Path) -> Objects:
    return {f"{m['kind']} {m['metadata']['name']}": m for m in manifests(folder, "test")}


def apply_job(objects: Objects) -> dict[str, Any]:
    (job,) = [m for name, m in objects.items() if name.startswith("Job ")]
    return job


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return named(stage(tmp_path_factory.mktemp("store")))


def pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """The pod specs of every workload of the store by the name of the workload."""
    templates = {
        "server": objects["Deployment feature-store"]["spec"]["template"],
        "redis": objects["StatefulSet feature-store-redis"]["spec"]["template"],
        "apply": apply_job(objects)["spec"]["template"],
        "materialization": objects["CronJob feature-store-materialization"]["spec"]["jobTemplate"]["spec"][
            "template"
        ],
    }
    return {name: template["spec"] for name, template in templates.items()}


def test_a_stage_without_a_store_has_none_of_it(tmp_path: Path) -> None:
    found = named(project(tmp_path))

    assert [name for name in found if "feature" in name] == []


def test_every_pod_is_restricted(objects: Objects) -> None:
    for name, pod in pods(objects).items():
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


def test_servers_roll_without_loss_and_a_drain_takes_one_at_a_time(objects: Objects) -> None:
    spec = objects["Deployment feature-store"]["spec"]
    (server,) = pods(objects)["server"]["containers"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert objects["PodDisruptionBudget feature-store"]["spec"]["maxUnavailable"] == 1
    assert server["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert server["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    # A registry that is away must not restart what can still answer.
    assert server["livenessProbe"]["tcpSocket"] == {"port": "http"}
    assert len(pods(objects)["server"]["topologySpreadConstraints"]) == 2


def test_secrets_come_from_secrets_and_are_in_no_argument_and_no_configuration(objects: Objects) -> None:
    for name, pod in pods(objects).items():
        for container in pod["containers"]:
            for variable in container.get("env", ()):
                if variable["name"].endswith(("PASSWORD", "AUTH", "REGISTRY_URL")):
                    assert set(variable["valueFrom"]) == {"secretKeyRef"}, name
    (server,) = pods(objects)["server"]["containers"]
    assert {v["name"]: v["valueFrom"]["secretKeyRef"] for v in server["env"] if "valueFrom" in v} == {
        "FEATURE_STORE_REDIS_PASSWORD": {"name": "redis", "key": "password"},
        "FEATURE_STORE_REGISTRY_URL": {"name": "registry", "key": "url"},
    }
    # The shell reads the here-document itself; what it starts has a dash for an argument.
    redis, _ = pods(objects)["redis"]["containers"]
    assert redis["command"][2].startswith("exec redis-server - <<")
    assert "$REDISCLI_AUTH" in redis["command"][2]


def test_redis_keeps_its_data_and_refuses_to_grow_beyond_its_memory(tmp_path: Path) -> None:
    store = STORE.replace(
        "key: password}", "key: password}, memory: 2Gi, evictionPolicy: allkeys-lru, storage: 5Gi"
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


def test_an_existing_redis_brings_no_redis(tmp_path: Path) -> None:
    store = STORE.replace(
        "{install: true, passwordSecret: {name: redis, key: password}}", "{url: 'redis://r.example.com'}"
    )
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


def test_only_the_models_that_name_a_service_reach_the_servers(objects: Objects) -> None:
    ingress = objects["NetworkPolicy feature-store"]["spec"]["ingress"]
    models, monitoring = ingress

    assert models["from"] == [
        {
            "podSelector": {
                "matchLabels": {"app.kubernetes.io/name": "a", "app.kubernetes.io/component": "model-server"}
            }
        }
    ]
    assert models["ports"] == [{"port": 6566, "protocol": "TCP"}]
    assert monitoring["ports"] == [{"port": 8000, "protocol": "TCP"}]
    out = [rule["ports"][0]["port"] for rule in objects["NetworkPolicy a"]["spec"]["egress"]]
    assert out == [53, 6566]


def test_nobody_reaches_the_servers_when_no_model_reads(tmp_path: Path) -> None:
    found = named(stage(tmp_path, model=MODEL, more="  ml-deployments:monitoring: {delivery: none}\n"))

    assert found["NetworkPolicy feature-store"]["spec"]["ingress"] == []


def test_redis_is_reached_by_servers_and_jobs_alone_and_reaches_nobody(objects: Objects) -> None:
    spec = objects["NetworkPolicy feature-store-redis"]["spec"]
    clients, monitoring = spec["ingress"]
    names = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in clients["from"]]

    assert names == ["feature-store", "feature-store-apply", "feature-store-materialization"]
    assert monitoring["ports"] == [{"port": 9121, "protocol": "TCP"}]
    assert spec["egress"] == []
    assert spec["policyTypes"] == ["Ingress", "Egress"]


def test_jobs_are_reached_by_nobody_and_reach_redis_and_what_is_named(objects: Objects) -> None:
    for part in ("apply", "materialization"):
        spec = objects[f"NetworkPolicy feature-store-{part}"]["spec"]
        assert spec["ingress"] == []
        assert [rule["ports"][0]["port"] for rule in spec["egress"]] == [53, 6379, 5432]


def test_policies_find_the_pods_they_are_for(objects: Objects) -> None:
    templates = {
        "feature-store": objects["Deployment feature-store"]["spec"]["template"],
        "feature-store-redis": objects["StatefulSet feature-store-redis"]["spec"]["template"],
        "feature-store-apply": apply_job(objects)["spec"]["template"],
        "feature-store-materialization": objects["CronJob feature-store-materialization"]["spec"][
            "jobTemplate"
        ]["spec"]["template"],
    }
    for part, template in templates.items():
        wanted = objects[f"NetworkPolicy {part}"]["spec"]["podSelector"]["matchLabels"]
        assert wanted.items() <= template["metadata"]["labels"].items()


def test_a_model_that_reads_features_is_told_where_they_are(objects: Objects) -> None:
    def environment(model: str) -> dict[str, str]:
        (container,) = objects[f"Deployment {model}"]["spec"]["template"]["spec"]["containers"]
        return {v["name"]: v["value"] for v in container["env"]}

    assert environment("a") == {
        "MODEL_NAME": "a",
        "MODEL_VERSION": "v1",
        "FEATURE_STORE_URL": "http://feature-store.ml-test.svc:6566",
        "FEATURE_SERVICE": "sentiment_v1",
    }


def changed(before: Objects, after: Objects) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_version_touches_what_runs_it_and_not_the_job_that_has_run(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    after = named(stage(tmp_path / "b", store=STORE.replace("0.67.0", "0.68.0")))

    # The Job's spec is not compared: see the integration tests. Its name, which would make another one, is the same.
    assert apply_job(before)["metadata"] == apply_job(after)["metadata"]
    assert {name for name in changed(before, after) if not name.startswith("Job ")} == {
        "CronJob feature-store-materialization",
        "Deployment feature-store",
    }


def test_a_definition_runs_the_job_anew_and_rolls_nothing(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    edited = VIEWS.replace("timedelta(days=1)", "timedelta(days=2)")
    folder = stage(tmp_path / "b")
    write_features(folder, views=edited)
    after = named(folder)

    assert changed(before, after) == {
        f"Job {apply_job(before)['metadata']['name']}",
        f"Job {apply_job(after)['metadata']['name']}",
        "ConfigMap feature-store-definitions",
    }


def test_a_configuration_runs_the_job_anew_and_rolls_the_servers(tmp_path: Path) -> None:
    before = named(stage(tmp_path / "a"))
    after = named(stage(tmp_path / "b", more="    registryRefreshSeconds: 30\n"))

    assert "Deployment feature-store" in changed(before, after)
    assert apply_job(before)["metadata"]["name"] != apply_job(after)["metadata"]["name"]
    assert "StatefulSet feature-store-redis" not in changed(before, after)


def test_every_part_is_a_child_of_the_store(tmp_path: Path) -> None:
    types = {r.type for r in record(stage(tmp_path), "test") if r.type.startswith("ml-deployments:")}

    assert {
        f"ml-deployments:index:{name}"
        for name in ("FeatureStore", "FeatureServer", "FeatureJobs", "OnlineStore")
    } <= types


def test_the_password_is_nowhere_in_what_is_rendered(objects: Objects) -> None:
    text = str(objects)

    assert base64.b64encode(b"password").decode() not in text
    assert 'requirepass "$REDISCLI_AUTH"' in text


def test_the_page_of_the_feature_store_shows_what_is_accepted(tmp_path: Path) -> None:
    stack_part, model_part = blocks(CHECKOUT / "docs" / "feature-store.md", "yaml")
    found = named(stage(tmp_path, store=stack_part.partition("config:\n")[2], model=MODEL + model_part))

    assert "Deployment feature-store" in found


def test_the_page_of_the_feature_store_names_every_series() -> None:
    text = (CHECKOUT / "docs" / "feature-store.md").read_text(encoding="utf-8")
    names = {
        v for v in vars(feature_series).values() if isinstance(v, str) and re.fullmatch(r"[a-z_]+:\w+:\w+", v)
    }

    assert len(names) == 8
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_every_query_and_runbook_of_a_store_is_checked(tmp_path: Path) -> None:
    folder = stage(tmp_path)
    (folder / "docs" / "runbooks").mkdir(parents=True)
    texts = [str(problem) for problem in check(folder).problems]

    assert [text for text in texts if "FeatureViewStale has no runbook" in text]
    assert not [text for text in texts if "does not parse" in text]


def test_operator_delivery_scrapes_servers_and_redis_and_its_kube_state_metrics_knows_jobs(
    tmp_path: Path,
) -> None:
    monitoring = (
        "  ml-deployments:monitoring: {namespace: watching, delivery: operator, stack: {install: true}}\n"
    )
    found = named(stage(tmp_path, more=monitoring))
    monitor = found["ServiceMonitor feature-store-redis"]["spec"]
    service = found["Service feature-store-redis"]

    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert found["PrometheusRule feature-store"]["spec"]["groups"]
    (container,) = found["Deployment kube-state-metrics"]["spec"]["template"]["spec"]["containers"]
    assert any("cronjobs,jobs" in argument for argument in container["args"])
    assert "dashboard-features" in str(found["Deployment grafana"])


def test_an_alert_of_the_store_can_be_switched_off_and_made_a_page(tmp_path: Path) -> None:
    more = "    watch: {alerts: {FeatureStoreMissingEntities: {enabled: false}, FeatureViewStale: {severity: page}}}\n"
    (rules,) = named(stage(tmp_path, more=more))["ConfigMap feature-store-rules"]["data"].values()
    alerts = {
        rule["alert"]: rule
        for group in yaml.safe_load(rules)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }

    assert "FeatureStoreMissingEntities" not in alerts
    assert alerts["FeatureViewStale"]["labels"] == {
        "severity": "page",
        "owner": "team-features",
        "stage": "test",
        "namespace": "ml-test",
    }
