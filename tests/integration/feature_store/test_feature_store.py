"""A feature store on a real control plane: its order, what a change rolls, and what is kept when the stage goes."""

import json
from pathlib import Path
from typing import Any

import pytest

from delivery.rendering.render import render
from sandbox.harness.clone import Clone
from sandbox.harness.waiting import wait_for
from tests.support.features import STORE, VIEWS, write_features

READER = '    m000: {version: "v1", replicas: 1, features: {service: sentiment_v1}}\n'
DEFINITIONS = "kubernetes:core/v1:ConfigMap::feature-store-definitions"
SERVER = "kubernetes:apps/v1:Deployment::feature-store"
CRON = "kubernetes:batch/v1:CronJob::feature-store-materialization"
CLAIM = "feature-store-redis"
BACKFILL = """\
    materialization:
      backfill: {from: "2026-01-01T00:00:00Z", until: "2026-11-01T00:00:00Z"}
"""


@pytest.fixture
def store(project: Clone) -> Clone:
    """A project whose model reads from a store."""
    write_features(project.path)
    project.write_stack(READER, more=STORE)
    return project


def steps(project: Clone) -> set[tuple[str, str]]:
    """What a preview would do: operation, and type with name, of each step but the stack's."""
    found = {(operation, urn.rpartition("$")[2]) for operation, urn in project.preview_steps()}
    return {step for step in found if "pulumi:pulumi:Stack" not in step[1]}


def apply_job(project: Clone) -> dict[str, Any]:
    """The one Job that applied the definitions."""
    jobs: list[dict[str, Any]] = project.get("jobs")["items"]
    (job,) = [j for j in jobs if j["metadata"]["name"].startswith("feature-store-apply-")]
    return job


def drift(project: Clone, *flags: str) -> str:
    """The output of a comparison without drift."""
    done = project.python("delivery", "drift", "test", *flags, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def waits(project: Clone) -> dict[str, str]:
    """The URNs that each resource waits for, by type with name."""
    state = json.loads(project.pulumi("stack", "export").stdout)["deployment"]["resources"]
    return {r["urn"].rpartition("$")[2]: " ".join(r.get("dependencies", ())) for r in state}


def generations(project: Clone) -> dict[str, int]:
    """How often each workload was changed."""
    items = project.get("deployments,statefulsets,cronjobs")["items"]
    return {f"{i['kind']} {i['metadata']['name']}": i["metadata"]["generation"] for i in items}


def test_up_brings_the_store_in_order_and_a_second_up_changes_nothing(store: Clone) -> None:
    store.up()
    assert store.get("deployment", "feature-store")["status"]["readyReplicas"] == 2
    assert store.get("statefulset", "feature-store-redis")["status"]["readyReplicas"] == 1
    assert store.get("pvc", CLAIM)["status"]["phase"] == "Bound"
    assert apply_job(store)["status"]["succeeded"] == 1
    created = [
        apply_job(store)["status"]["completionTime"],
        store.get("deployment", "feature-store")["metadata"]["creationTimestamp"],
        store.get("deployment", "m000")["metadata"]["creationTimestamp"],
    ]
    assert created == sorted(created)
    found = waits(store)
    assert "batch/v1:Job::feature-store-apply-" in found[SERVER]
    assert "StatefulSet::feature-store-redis" in found[SERVER]
    assert "Deployment::feature-store" in found["kubernetes:apps/v1:Deployment::m000"]
    store.pulumi("preview", "--refresh", "--expect-no-changes")


def test_each_change_rolls_what_it_must_and_nothing_else(store: Clone) -> None:
    store.up()
    ran = apply_job(store)["metadata"]
    later = STORE.replace("0.67.0", "0.68.0")
    store.write_stack(READER, more=later)
    found = steps(store)
    assert {step for step in found if "batch/v1:Job::" not in step[1]} == {
        ("update", SERVER),
        ("update", CRON),
    }
    assert sorted(operation for operation, what in found if "batch/v1:Job::" in what) == ["create", "delete"]
    store.up()
    (container,) = store.get("deployment", "feature-store")["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(":0.68.0")
    assert apply_job(store)["metadata"]["uid"] != ran["uid"]
    drift(store)
    ran = apply_job(store)["metadata"]

    before = generations(store)
    write_features(store.path, views=VIEWS.replace("timedelta(days=1)", "timedelta(days=2)"))
    found = steps(store)
    assert ("update", DEFINITIONS) in found
    assert sorted(operation for operation, what in found if "batch/v1:Job::" in what) == ["create", "delete"]
    assert len(found) == 3
    store.up()
    assert apply_job(store)["metadata"]["name"] != ran["name"]
    assert apply_job(store)["status"]["succeeded"] == 1
    assert generations(store) == before
    assert "days=2" in store.get("configmap", "feature-store-definitions")["data"]["views.py"]

    store.write_stack(READER, more=later.replace("key: password}", "key: password}, memory: 2Gi"))
    assert steps(store) == {
        ("update", "kubernetes:core/v1:ConfigMap::feature-store-redis"),
        ("update", "kubernetes:apps/v1:StatefulSet::feature-store-redis"),
    }


def test_a_backfill_is_one_job_and_does_not_roll_anything(store: Clone) -> None:
    store.up()
    store.write_stack(READER, more=STORE + BACKFILL)
    ((operation, what),) = steps(store)
    assert operation == "create"
    assert "batch/v1:Job::feature-store-backfill-" in what
    store.up()
    (job,) = [j for j in store.get("jobs")["items"] if j["metadata"]["name"] in what]
    assert job["status"]["succeeded"] == 1
    assert "batch/v1:Job::feature-store-apply-" in waits(store)[what]
    assert "feature-store-backfill-" not in waits(store)[SERVER]
    drift(store)
    store.pulumi("preview", "--refresh", "--expect-no-changes")

    store.write_stack(READER, more=STORE.replace("0.67.0", "0.68.0") + BACKFILL)
    assert ("delete", what) in steps(store)
    store.write_stack(READER, more=STORE)
    assert steps(store) == {("delete", what)}


def test_a_backfill_that_fails_is_reported_and_servers_are_deployed(store: Clone) -> None:
    store.up()
    # Without a new pod in the namespace, the Job waits until its deadline.
    where = f"--namespace={store.namespace}"
    store.run("kubectl", "create", "quota", "full", where, "--hard=pods=0")
    more = BACKFILL + "      deadlineSeconds: 5\n"
    store.write_stack(READER, more=STORE + more)
    done = store.up(check=False)
    assert done.returncode != 0
    assert "DeadlineExceeded" in done.stdout + done.stderr
    assert store.get("deployment", "feature-store")["status"]["readyReplicas"] == 2
    assert store.up(check=False).returncode != 0
    store.run("kubectl", "delete", "quota", "full", where)
    store.write_stack(READER, more=STORE + more.replace("2026-11-01", "2026-11-02"))
    store.up()
    assert [job["status"].get("succeeded") for job in store.get("jobs")["items"]] == [1, 1]


def test_servers_do_not_roll_before_the_definitions_are_applied(store: Clone) -> None:
    # No node has so many cores: the Job's pod waits until its deadline.
    more = (
        "    applyDeadlineSeconds: 5\n"
        "    materialization: {resources: {requests: {cpu: 900, memory: 1Gi}, limits: {memory: 1Gi}}}\n"
    ).replace("900", '"900"')
    store.write_stack(READER, more=STORE + more)
    done = store.up(check=False)
    assert done.returncode != 0
    assert "DeadlineExceeded" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert [d["metadata"]["name"] for d in store.get("deployments")["items"]] == []


def test_the_stage_goes_and_its_data_stays_until_it_is_asked_for(store: Clone) -> None:
    store.up()
    claim = store.get("pvc", CLAIM)["metadata"]["uid"]
    store.pulumi("destroy", "--yes", "--skip-preview")
    left = store.get("deployments,statefulsets,services,jobs,cronjobs,configmaps,networkpolicies")["items"]
    # Kubernetes' own, in every namespace.
    assert [item["metadata"]["name"] for item in left] == ["kube-root-ca.crt"]
    assert store.get("pvc", CLAIM)["metadata"]["uid"] == claim
    store.up()
    assert store.get("statefulset", "feature-store-redis")["status"]["readyReplicas"] == 1
    store.write_stack('    m000: {version: "v1", replicas: 1}\n')
    store.up()
    assert [d["metadata"]["name"] for d in store.get("deployments")["items"]] == ["m000"]
    assert store.get("pvc", CLAIM)["metadata"]["uid"] == claim
    found = json.loads(drift(store, "--heal", "--json"))
    assert (found["drift"], found["healed"]) == ([], [])
    assert [note for note in found["notes"] if CLAIM in note and "kept on purpose" in note]
    assert store.get("pvc", CLAIM)["metadata"]["uid"] == claim
    store.write_stack(READER, more=STORE.replace("install: true", "install: true, deleteData: true"))
    store.up()
    assert store.get("pvc", CLAIM)["metadata"]["uid"] == claim
    store.pulumi("destroy", "--yes", "--skip-preview")
    gone = store.run("kubectl", "get", "namespace", store.namespace, check=False)
    assert "NotFound" in gone.stderr


def test_every_mistake_is_reported_before_anything_is_changed(store: Clone) -> None:
    write_features(store.path)
    (store.path / "features" / "views.py").write_text(VIEWS.replace("days=1", "days=2"))
    wrong = STORE.replace("install: true, ", "") + "    materialization: {schedule: hourly}\n"
    store.write_stack(READER, more=wrong)
    said = refused(store)
    for reason in ("views.py was changed", "names no Redis", "must be a cron expression of five fields"):
        assert reason in said
    write_features(store.path)
    store.write_stack(READER.replace("sentiment_v1", "sentiment_v9"), more=STORE)
    assert "is not a FeatureService that features/ defines" in refused(store)


def refused(project: Clone) -> str:
    """What an `up` that changes nothing says."""
    done = project.up(check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "nothing was changed" in said
    assert "Traceback" not in said
    assert project.run("kubectl", "get", "namespace", project.namespace, check=False).returncode != 0
    return said


def test_the_api_server_accepts_every_object(store: Clone, tmp_path: Path) -> None:
    output = tmp_path / "rendered"
    paths = render(store.path, "test", output)
    store.run("kubectl", "create", "namespace", store.namespace)
    store.run("kubectl", "label", "namespace", store.namespace, "ml-deployments/stage=test")
    wait_for(lambda: store.get("serviceaccounts")["items"])
    done = store.run(
        "kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", f"--filename={output}"
    )
    assert done.stdout.count("serverside-applied (server dry run)") == len(paths)
    assert "Warning" not in done.stderr
