"""A feature store by pull: a real Argo CD applies it in Pulumi's order, and keeps its data when it is removed."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.harness.argocd import argocd
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.followed import STAGE, Followed, followed
from tests.support.features import STORE, VIEWS, write_features

MODEL, READER = "sentiment-classifier", "reader-classifier"
OLD, NEW = "v1.3-rc1", "v1.3-rc2"
SERVER, REDIS = "feature-store", "feature-store-redis"
# No node has so many cores: the Job's pod waits until its deadline.
FAILING = (
    "    applyDeadlineSeconds: 5\n"
    '    materialization: {resources: {requests: {cpu: "900", memory: 1Gi}, limits: {memory: 1Gi}}}\n'
)


@pytest.fixture(scope="module")
def stage(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Argo CD runs, and the stage is applied, with a store and two models, one of which reads from it."""
    folder = tmp_path_factory.mktemp("pull-features")
    with argocd(sandbox, folder), followed(sandbox, folder) as found:
        source = (CHECKOUT / "models" / f"{MODEL}.yaml").read_text()
        (found.project.path / "models" / f"{READER}.yaml").write_text(source)
        write_features(found.project.path)
        found.git("add", "--all")
        found.seconds["new store and its reader: commit to healthy"] = deploy(found, with_store(found))
        try:
            yield found
        finally:
            for what, seconds in found.seconds.items():
                print(f"{what:<60} {seconds:6.1f} s", file=sys.stderr)


def with_store(stage: Followed, *, version: str = "0.67.0", model: str = OLD, more: str = "") -> str:
    """The stage's file with a store and a model that reads from it."""
    heading = "  ml-deployments:models:\n"
    store = STORE.replace("0.67.0", version) + more
    return with_reader(stage, features=True).replace(OLD, model).replace(heading, store + heading)


def with_reader(stage: Followed, *, features: bool) -> str:
    """The stage's file with two models, one of which may read features."""
    lines = stage.stack.splitlines(keepends=True)
    entry = next(line for line in lines if line.strip().startswith(f"{MODEL}:"))
    reader = entry.replace(MODEL, READER)
    if features:
        reader = reader.replace("version:", "features: {service: sentiment_v1}, version:")
    return stage.stack.replace(entry, entry + reader)


def going(stage: Followed, name: str) -> bool:
    """True when a Deployment is gone or being deleted."""
    found = stage.project.get("deployments", selector=f"app.kubernetes.io/name={name}")["items"]
    return all("deletionTimestamp" in item["metadata"] for item in found)


def deploy(stage: Followed, stack: str) -> float:
    """Commit a stack file; the seconds until Argo CD has applied all of it and finds it healthy."""
    started = time.monotonic()
    stage.commit("Deploy", stack)
    tip = stage.tip()
    return stage.until(
        lambda: stage.synced(tip) and stage.compared(), "the commit is applied", started=started
    )


def jobs(stage: Followed) -> dict[str, dict[str, Any]]:
    """The Jobs that apply the definitions, by name."""
    found = stage.project.get("jobs", selector="app.kubernetes.io/name=feature-store-apply")["items"]
    return {job["metadata"]["name"]: job for job in found}


def generations(stage: Followed) -> dict[str, int]:
    """How often each workload was changed."""
    items = stage.project.get("deployments,statefulsets,cronjobs")["items"]
    return {f"{i['kind']} {i['metadata']['name']}": i["metadata"]["generation"] for i in items}


def image(stage: Followed, deployment: str) -> str:
    (container,) = stage.project.get("deployment", deployment)["spec"]["template"]["spec"]["containers"]
    return str(container["image"]).rpartition(":")[2]


def available_since(deployment: dict[str, Any]) -> str:
    (found,) = [c for c in deployment["status"]["conditions"] if c["type"] == "Available"]
    assert found["status"] == "True"
    return str(found["lastTransitionTime"])


def test_the_store_comes_in_order(stage: Followed) -> None:
    (job,) = jobs(stage).values()
    servers, reader = (stage.project.get("deployment", name) for name in (SERVER, READER))
    assert servers["status"]["readyReplicas"] == 2
    moments = [
        stage.project.get("statefulset", REDIS)["metadata"]["creationTimestamp"],
        job["metadata"]["creationTimestamp"],
        job["status"]["completionTime"],
        servers["metadata"]["creationTimestamp"],
        available_since(servers),
        reader["metadata"]["creationTimestamp"],
    ]
    assert moments == sorted(moments)


def test_a_definition_runs_a_job_and_a_version_rolls_the_servers(stage: Followed) -> None:
    (first,), before = jobs(stage), generations(stage)
    write_features(stage.project.path, views=VIEWS.replace("timedelta(days=1)", "timedelta(days=2)"))
    stage.seconds["changed definition: commit to healthy"] = deploy(stage, with_store(stage))
    ((second, job),) = jobs(stage).items()
    assert second != first
    assert job["status"]["succeeded"] == 1
    assert generations(stage) == before

    later = with_store(stage, version="0.68.0")
    stage.seconds["new version of the store: commit to healthy"] = deploy(stage, later)
    assert image(stage, SERVER) == "0.68.0"
    assert len(jobs(stage).keys() - {second}) == 1
    changed = {name for name, number in generations(stage).items() if number != before[name]}
    assert changed == {f"Deployment {SERVER}", "CronJob feature-store-materialization"}


def test_what_a_failed_job_holds_back(stage: Followed) -> None:
    deploy(stage, with_store(stage))
    write_features(stage.project.path, views=VIEWS.replace("timedelta(days=1)", "timedelta(days=3)"))
    started = time.monotonic()
    stage.commit("Fail", with_store(stage, version="0.68.0", model=NEW, more=FAILING))
    stage.until(
        lambda: "DeadlineExceeded" in str([job.get("status") for job in jobs(stage).values()]),
        "the Job has failed",
    )

    def given_up() -> bool:
        return int(stage.application()["status"]["operationState"].get("retryCount", 0)) > 1

    stage.seconds["failed Job: commit to a failed sync"] = stage.until(
        given_up, "it failed twice and is tried again", started=started
    )
    assert image(stage, MODEL) == NEW
    assert (image(stage, SERVER), image(stage, READER)) == ("0.67.0", OLD)
    assert len(stage.serving(READER)) == 2
    stage.seconds["fix of a failed Job: commit to healthy"] = deploy(
        stage, with_store(stage, version="0.68.0", model=NEW)
    )
    assert (image(stage, SERVER), image(stage, READER)) == ("0.68.0", NEW)


def test_the_store_goes_and_its_data_stays(stage: Followed) -> None:
    """The last test: the stage has no store afterwards."""
    claim = stage.project.get("pvc", REDIS)["metadata"]["uid"]
    started = time.monotonic()
    stage.commit("Take the store out", with_reader(stage, features=False))
    stage.until(lambda: going(stage, SERVER), "the servers go")
    reader = stage.project.get("deployment", READER)
    assert "FEATURE_STORE_URL" not in str(reader["spec"])
    assert reader["status"]["observedGeneration"] == reader["metadata"]["generation"]
    assert reader["status"]["updatedReplicas"] == reader["status"]["readyReplicas"] == 2
    tip = stage.tip()
    stage.seconds["store taken out: commit to gone"] = stage.until(
        lambda: stage.synced(tip) and stage.compared(), "the store is gone", started=started
    )
    kinds = "deployments,statefulsets,services,jobs,cronjobs,configmaps,networkpolicies,pvc"
    left = stage.project.get(kinds, selector="app.kubernetes.io/component=feature-store")["items"]
    assert [(item["kind"], item["metadata"]["uid"]) for item in left] == [("PersistentVolumeClaim", claim)]
    done = stage.project.python("delivery", "drift", STAGE, check=False)
    assert (done.returncode, "kept on purpose" in done.stdout) == (0, True), done.stdout + done.stderr
