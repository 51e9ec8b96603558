"""Who reaches which part of a feature store."""

from pathlib import Path

from tests.support.feature_stores import apply_job, stage
from tests.support.projects import MODEL, Objects, named


def test_only_the_models_that_name_a_service_reach_the_servers(store_objects: Objects) -> None:
    ingress = store_objects["NetworkPolicy feature-store"]["spec"]["ingress"]
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
    out = [rule["ports"][0]["port"] for rule in store_objects["NetworkPolicy a"]["spec"]["egress"]]
    assert out == [53, 6566]


def test_nothing_reaches_the_servers_when_no_model_reads(tmp_path: Path) -> None:
    found = named(stage(tmp_path, model=MODEL, more="  ml-deployments:monitoring: {delivery: none}\n"))

    assert found["NetworkPolicy feature-store"]["spec"]["ingress"] == []


def test_only_servers_and_jobs_reach_redis_and_it_reaches_nothing(store_objects: Objects) -> None:
    spec = store_objects["NetworkPolicy feature-store-redis"]["spec"]
    clients, monitoring = spec["ingress"]
    names = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in clients["from"]]

    assert names == ["feature-store", "feature-store-apply", "feature-store-materialization"]
    assert monitoring["ports"] == [{"port": 9121, "protocol": "TCP"}]
    assert spec["egress"] == []
    assert spec["policyTypes"] == ["Ingress", "Egress"]


def test_nothing_reaches_the_jobs_and_they_reach_redis_and_what_is_named(store_objects: Objects) -> None:
    for part in ("apply", "materialization"):
        spec = store_objects[f"NetworkPolicy feature-store-{part}"]["spec"]
        assert spec["ingress"] == []
        assert [rule["ports"][0]["port"] for rule in spec["egress"]] == [53, 6379, 5432]


def test_policies_find_the_pods_they_are_for(store_objects: Objects) -> None:
    templates = {
        "feature-store": store_objects["Deployment feature-store"]["spec"]["template"],
        "feature-store-redis": store_objects["StatefulSet feature-store-redis"]["spec"]["template"],
        "feature-store-apply": apply_job(store_objects)["spec"]["template"],
        "feature-store-materialization": store_objects["CronJob feature-store-materialization"]["spec"][
            "jobTemplate"
        ]["spec"]["template"],
    }
    for part, template in templates.items():
        wanted = store_objects[f"NetworkPolicy {part}"]["spec"]["podSelector"]["matchLabels"]
        assert wanted.items() <= template["metadata"]["labels"].items()
