"""Namespaces that exist already: someone else's are left alone, whatever the command."""

import pytest

from sandbox.harness.clone import Clone

MODEL = '    m000: {version: "v1", replicas: 1}\n'
FOREIGN = "  ml-deployments:namespaceOwned: false\n"
STANDARD = "pod-security.kubernetes.io/enforce=restricted"


@pytest.fixture
def taken(project: Clone) -> Clone:
    """A project whose namespace another team has made, with a ConfigMap in it."""
    project.run("kubectl", "create", "namespace", project.namespace)
    where = f"--namespace={project.namespace}"
    project.run("kubectl", "create", "configmap", "theirs", "--from-literal=a=b", where)
    return project


def labels(project: Clone) -> dict[str, str]:
    found: dict[str, str] = project.get("namespace", project.namespace)["metadata"]["labels"]
    return found


def test_pulumi_up_does_not_take_over_a_namespace_of_others(taken: Clone) -> None:
    before = labels(taken)
    done = taken.up(check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert f"namespace = {taken.namespace}: exists and is not the stage's" in said
    assert "namespaceOwned: false" in said
    assert "Traceback" not in said
    assert labels(taken) == before
    assert taken.get("deployments")["items"] == []
    taken.pulumi("destroy", "--yes", "--skip-preview")
    assert taken.get("configmap", "theirs")["data"] == {"a": "b"}


def test_a_namespace_of_others_can_be_used_and_stays(taken: Clone) -> None:
    taken.run("kubectl", "label", "namespace", taken.namespace, STANDARD)
    before = labels(taken)
    taken.write_stack(MODEL, FOREIGN)
    taken.up()
    assert taken.get("deployment", "m000")["status"]["readyReplicas"] == 1
    assert labels(taken) == before
    taken.pulumi("destroy", "--yes", "--skip-preview")
    assert taken.get("deployments")["items"] == []
    assert taken.get("configmap", "theirs")["data"] == {"a": "b"}


def test_a_namespace_with_the_mark_of_the_stage_is_taken_over(taken: Clone) -> None:
    """One that a killed run left, or that was made for the stage's Secrets."""
    taken.run("kubectl", "label", "namespace", taken.namespace, "ml-deployments/stage=test")
    taken.up()
    assert labels(taken)["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_platforms_write_on_a_namespace_stays(project: Clone) -> None:
    project.up()
    metadata = ("field.cattle.io/projectId=c-1:p-1", "openshift.io/sa.scc.uid-range=1000/1000")
    # Pulumi takes what kubectl wrote for its own: docs/drift.md.
    by = "--field-manager=rancher"
    project.run("kubectl", "annotate", "namespace", project.namespace, *metadata, by)
    project.run("kubectl", "label", "namespace", project.namespace, "istio-injection=enabled", by)
    project.write_stack(MODEL, "  ml-deployments:podSecurity: baseline\n")
    project.up("--refresh")
    found = project.get("namespace", project.namespace)["metadata"]
    assert found["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert found["labels"]["istio-injection"] == "enabled"
    assert {item.partition("=")[0] for item in metadata} <= found["annotations"].keys()
