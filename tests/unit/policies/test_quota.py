"""A stage's ResourceQuota: its setting, the object, and whether the pods fit into it while they roll."""

from pathlib import Path
from typing import Any

import pytest

from components.files.sources import Sources
from components.program import objects
from components.stack import load_stack
from delivery.policies.findings import violations
from delivery.rendering.render import manifests
from tests.support.monitoring_stacks import Manifest, one
from tests.support.projects import GOOD_STACK, entry, named, problems, project
from tests.support.ruled import found


def quota(**values: str) -> str:
    inside = ", ".join(f'{name.replace("_", ".")}: "{value}"' for name, value in values.items())
    return f"  ml-deployments:quota: {{{inside}}}\n"


def said(folder: Path) -> list[tuple[str, str]]:
    settings = load_stack(Sources.of(folder), "test").settings
    all_found = violations(folder, settings, manifests(folder, "test"))
    return [(v.object, v.problem.reason) for v in all_found if v.policy == "quota"]


def test_the_object_has_what_the_file_says(tmp_path: Path) -> None:
    made = named(project(tmp_path, GOOD_STACK + quota(pods="10", requests_cpu="40")))

    found_quota = made["ResourceQuota quota.ml-deployments"]

    assert found_quota["metadata"]["namespace"] == "ml-test"
    assert found_quota["spec"] == {"hard": {"pods": "10", "requests.cpu": "40"}}


def test_it_exists_before_the_pods_that_it_limits(tmp_path: Path) -> None:
    folder = project(tmp_path, GOOD_STACK + quota(pods="10"))
    kinds = [made["kind"] for made in objects(load_stack(Sources.of(folder), "test").settings)]
    assert kinds.index("Namespace") < kinds.index("ResourceQuota") < kinds.index("Deployment")


def test_without_the_setting_there_is_none(tmp_path: Path) -> None:
    assert not any(name.startswith("ResourceQuota") for name in named(project(tmp_path)))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "is empty"),
        ({"cpu": "4"}, "cpu is not what a quota of pods counts"),
        ({"requests_gpu": "4"}, "requests.gpu: gpu is not a resource of containers"),
        ({"services": "4"}, "services is not what a quota of pods counts"),
        ({"limits_nvidia.com/gpu": "4"}, "limits.nvidia.com/gpu is not what a quota of pods counts"),
        ({"pods": "1.5"}, "is not a whole number"),
        ({"requests_memory": "512m"}, "is a part of a byte"),
        ({"requests_cpu": "much"}, "must be a Kubernetes quantity"),
    ],
)
def test_a_wrong_quota_is_refused(tmp_path: Path, values: dict[str, str], reason: str) -> None:
    text = quota(**{name.replace(".", "_", 1) if "/" not in name else name: v for name, v in values.items()})
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert problem.field.startswith("config.ml-deployments:quota")
    assert reason in problem.reason


def test_a_namespace_of_someone_else_gets_none(tmp_path: Path) -> None:
    text = GOOD_STACK + quota(pods="10") + "  ml-deployments:namespaceOwned: false\n"
    (problem,) = problems(project(tmp_path, text))
    assert "does not own" in problem.reason


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        # Two replicas of 1 CPU, 2Gi and 4Gi, and one more while they roll.
        ({"pods": "3", "requests_cpu": "3", "requests_memory": "6Gi", "limits_memory": "12Gi"}, None),
        ({"pods": "2"}, "allows pods of 2, and while they roll its pods need 3"),
        ({"requests_cpu": "2500m"}, "allows requests.cpu of 2500m, and while they roll its pods need 3"),
        (
            {"requests_memory": "5Gi"},
            "allows requests.memory of 5Gi, and while they roll its pods need 6144Mi",
        ),
        ({"limits_memory": "8Gi"}, "allows limits.memory of 8Gi, and while they roll its pods need 12288Mi"),
    ],
)
def test_whether_the_pods_fit(tmp_path: Path, values: dict[str, str], reason: str | None) -> None:
    what = said(project(tmp_path, GOOD_STACK + quota(**values)))
    assert what == ([("ResourceQuota ml-test/quota.ml-deployments", reason)] if reason else [])


def test_a_stopped_model_needs_nothing(tmp_path: Path) -> None:
    text = entry('version: "v1"\nreplicas: 0') + quota(pods="0")
    assert said(project(tmp_path, text)) == []


@pytest.mark.parametrize("name", ["limits_cpu", "limits_ephemeral-storage"])
def test_what_the_quota_counts_is_stated(tmp_path: Path, name: str) -> None:
    stated = "resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}}".replace("1,", '"1",')
    model = f"owner: team\nimage: registry.example.com/a\n{stated}\n"
    ((what, reason),) = said(project(tmp_path, GOOD_STACK + quota(**{name: "100"}), a=model))

    assert what == "Deployment ml-test/a"
    assert reason == f"container server states no {name.replace('_', '.')}, which the quota counts"


def hard(**values: str) -> Manifest:
    metadata = {"name": "q", "namespace": "ml-test"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": values}}


@pytest.mark.parametrize(
    ("spec", "needed"),
    [
        ({"strategy": {"type": "Recreate"}, "replicas": 4}, "4"),
        ({"strategy": {"rollingUpdate": {"maxSurge": "30%"}}, "replicas": 4}, "6"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 2}}, "replicas": 4}, "6"),
    ],
)
def test_how_many_pods_there_are_while_they_roll(
    ruled_objects: list[Manifest], spec: dict[str, Any], needed: str
) -> None:
    deployment = {**one(ruled_objects, "Deployment", "a")}
    deployment["spec"] = {**deployment["spec"], **spec}

    reasons = [v.problem.reason for v in found([deployment, hard(pods="1")]) if v.policy == "quota"]

    assert reasons == [f"allows pods of 1, and while they roll its pods need {needed}"]


def test_an_init_container_counts_where_it_needs_more(ruled_objects: list[Manifest]) -> None:
    deployment = {**one(ruled_objects, "Deployment", "a")}
    template = deployment["spec"]["template"]
    first = [
        {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
        {"name": "init", "resources": {"requests": {"cpu": "50"}}},
    ]
    pod = {**template["spec"], "initContainers": first}
    deployment["spec"] = {**deployment["spec"], "replicas": 0, "template": {**template, "spec": pod}}
    job = {**deployment, "kind": "Job", "spec": {"parallelism": 2, "template": {**template, "spec": pod}}}

    reasons = [v.problem.reason for v in found([job, hard(**{"requests.cpu": "1"})]) if v.policy == "quota"]

    assert reasons == ["allows requests.cpu of 1, and while they roll its pods need 100"]
