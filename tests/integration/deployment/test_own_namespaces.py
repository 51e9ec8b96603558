"""A model whose server is root runs in a namespace of its own, and nothing else is lowered for it."""

import json
from collections.abc import Iterator

import pytest

from delivery.rendering.render import manifests
from sandbox.harness.clone import MODEL, Clone
from tests.integration.drift.tools import drift

ENFORCE = "pod-security.kubernetes.io/enforce"
BASELINE = "podSecurity: baseline\nsecurity: {runAsNonRoot: false, runAsUser: 0}\n"
ENTRIES = '    m000: {version: "v1", replicas: 1}\n    m001: {version: "v1", replicas: 1}\n'


def write(project: Clone, more: str = "") -> None:
    (project.path / "models" / "m000.yaml").write_text(MODEL + more)
    (project.path / "models" / "m001.yaml").write_text(MODEL)


@pytest.fixture
def own(project: Clone) -> Iterator[str]:
    """The own namespace of the model m000 of a deployed project."""
    write(project, BASELINE)
    project.write_stack(ENTRIES, '  ml-deployments:quota: {pods: "10"}\n')
    project.up()
    yield f"{project.namespace}-m000"
    project.pulumi("destroy", "--yes", "--skip-preview")


def level(project: Clone, namespace: str) -> str:
    found: str = project.get("namespace", namespace)["metadata"]["labels"][ENFORCE]
    return found


def pod_of(project: Clone, model: str, namespace: str) -> str:
    """The pod of a model, as one that someone would create in a namespace."""
    (deployment,) = [
        m
        for m in manifests(project.path, "test")
        if m["kind"] == "Deployment" and m["metadata"]["name"] == model
    ]
    template = deployment["spec"]["template"]
    # Admission asks for the account first.
    spec = {**template["spec"], "serviceAccountName": "default"}
    metadata = {**template["metadata"], "name": "someone", "namespace": namespace}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def test_a_root_pod_is_admitted_there_and_nowhere_else(project: Clone, own: str) -> None:
    assert (level(project, project.namespace), level(project, own)) == ("restricted", "baseline")
    for model, namespace in (("m000", own), ("m001", project.namespace)):
        assert project.get("deployment", model, namespace=namespace)["status"]["readyReplicas"] == 1
    assert [d["metadata"]["name"] for d in project.get("deployments")["items"]] == ["m001"]
    # As `make verify` reads it.
    printed = project.pulumi("stack", "output", "namespaces").stdout
    assert printed.strip() == f'["{project.namespace}","{own}"]'
    path = project.path / "pod.json"
    create = ("kubectl", "create", f"--filename={path}", "--dry-run=server")
    path.write_text(pod_of(project, "m000", own))
    project.run(*create)
    path.write_text(pod_of(project, "m000", project.namespace))
    refused = project.run(*create, check=False)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr


def test_its_level_and_its_objects_are_kept_as_declared(project: Clone, own: str) -> None:
    assert drift(project, code=0)["drift"] == []
    where = f"--namespace={own}"
    project.run("kubectl", "label", "namespace", own, f"{ENFORCE}=privileged", "--overwrite")
    project.run("kubectl", "scale", "deployment", "m000", "--replicas=3", where)
    project.run("kubectl", "delete", "networkpolicy", "default-deny.ml-deployments", where)
    project.run("kubectl", "create", "configmap", "left", where)
    project.run("kubectl", "label", "configmap", "left", "ml-deployments/stage=test", where)
    found = {(d["kind"], d["name"], d["class"]) for d in drift(project, code=3)["drift"]}
    assert found == {
        ("ConfigMap", "left", "extra"),
        ("Deployment", "m000", "changed"),
        ("Namespace", own, "changed"),
        ("NetworkPolicy", "default-deny.ml-deployments", "deleted"),
    }
    assert drift(project, "--heal", code=0)["drift"] == []
    assert level(project, own) == "baseline"
    project.pulumi("preview", "--refresh", "--expect-no-changes")


def test_a_model_that_comes_back_takes_its_namespace_along(project: Clone, own: str) -> None:
    write(project)
    # It has no account in the stage yet, and the old one serves until it runs.
    project.up()
    assert project.get("deployment", "m000")["status"]["readyReplicas"] == 1
    assert project.run("kubectl", "get", "namespace", own, check=False).returncode != 0
    assert drift(project, code=0)["drift"] == []


def test_a_namespace_of_others_is_not_taken_over_for_a_model(project: Clone) -> None:
    taken = f"{project.namespace}-m000"
    project.run("kubectl", "create", "namespace", taken)
    write(project, BASELINE)
    project.write_stack(ENTRIES)
    done = project.up(check=False)
    assert done.returncode != 0
    assert f"models.m000.namespace = {taken}: exists and is not the stage's" in done.stdout + done.stderr
    assert ENFORCE not in project.get("namespace", taken)["metadata"]["labels"]
    project.run("kubectl", "delete", "namespace", taken, "--wait=false")
