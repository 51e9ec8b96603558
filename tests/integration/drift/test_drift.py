"""Drift of every class is found, named and healed; docs/drift.md says what each tool sees, as observed here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.drift.healing import heal
from delivery.drift.kubectl import Kubectl
from delivery.drift.looking import look
from delivery.drift.target import target
from delivery.rendering.render import manifests
from sandbox.harness.clone import Clone, model_files, models
from sandbox.harness.sandboxes import project_of
from sandbox.harness.waiting import wait_for
from tests.integration.deployment.test_faults import kill_in_the_middle, recover, unused_kubeconfig
from tests.integration.drift.case import DriftCase
from tests.integration.drift.classes import FIELDS, NAMESPACE_DELETED, OBJECTS, SMALL
from tests.integration.drift.tools import drift, names, page_row, place, refresh_sees, word

MANY = 40
STACK = """\
  ml-deployments:monitoring:
    namespace: {namespace}-watch
    delivery: operator
    stack: {{install: true}}
"""


@pytest.fixture(scope="module")
def deployed(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A deployed stage of two models, which every test leaves without drift."""
    project = project_of(sandbox, tmp_path_factory.mktemp("drifting"), "ml-drifting", 2)
    project.write_stack(models(2, replicas=2))
    project.pulumi("stack", "init")
    project.up()
    yield project
    project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_each_class_is_named_and_healed(deployed: Clone, case: DriftCase) -> None:
    where = place(deployed, "m000")
    before = case.look(where)
    case.cause(where)
    assert case.look(where) != before
    page = page_row(case.name)
    assert page["`pulumi refresh`"] == word(refresh_sees(deployed))
    found = drift(deployed, "--heal", code=0 if case.healable else 3)
    assert names(case, found["healed"] if case.healable else found["drift"], where)
    assert page["`delivery drift`"] == word(True)
    assert page["`--heal`"] == word(case.look(where) == before) == word(case.healable)
    if not case.healable:
        where.kubectl("delete", case.kind, "by-hand", f"--namespace={where.namespace}")


def test_all_classes_at_once_and_what_pulumi_heals_of_them(deployed: Clone) -> None:
    pairs = [(case, place(deployed, "m000")) for case in FIELDS]
    pairs += [(case, place(deployed, "m001")) for case in OBJECTS]
    before = [case.look(where) for case, where in pairs]
    for case, where in pairs:
        case.cause(where)
    found = drift(deployed, code=3)["drift"]
    assert [case.name for case, where in pairs if not names(case, found, where)] == []
    deployed.up("--refresh")
    healed = {case.name: case.look(where) == seen for (case, where), seen in zip(pairs, before, strict=True)}
    assert {name: page_row(name)["`pulumi up --refresh`"] for name in healed} == {
        name: word(seen) for name, seen in healed.items()
    }
    where = place(deployed, "m001")
    where.kubectl("delete", "configmap", "by-hand", f"--namespace={where.namespace}")
    assert drift(deployed, "--heal", code=0)["drift"] == []
    assert [case.look(where) for case, where in pairs] == before
    # Pulumi's state and the cluster agree, and there is nothing left to do.
    deployed.pulumi("preview", "--refresh", "--expect-no-changes")


@pytest.fixture
def watched(project: Clone) -> Iterator[Clone]:
    """A deployed stage of one model with a monitoring stack, so that it has two namespaces."""
    project.write_stack(models(1, replicas=2), STACK.format(namespace=project.namespace))
    project.up()
    yield project
    project.pulumi("destroy", "--yes", "--skip-preview")


def test_a_deleted_namespace_is_restored_completely(watched: Clone) -> None:
    project = watched
    case, where, page = NAMESPACE_DELETED, place(project, "m000"), page_row(NAMESPACE_DELETED.name)
    before = case.look(where)
    case.cause(where)
    assert page["`pulumi refresh`"] == word(refresh_sees(project))
    found = drift(project, code=3)
    assert names(case, found["drift"], where)
    assert {each["class"] for each in found["drift"]} == {"deleted"}
    healed = drift(project, "--heal", code=0)
    assert len(healed["healed"]) == len(found["drift"])
    assert page["`--heal`"] == page["`delivery drift`"] == word(case.look(where) == before)
    project.pulumi("preview", "--refresh", "--expect-no-changes")
    case.cause(where)
    project.up("--refresh")
    assert page["`pulumi up --refresh`"] == word(case.look(where) == before)


def test_a_namespace_that_is_still_being_deleted_is_waited_for(watched: Clone) -> None:
    watched.run("kubectl", "delete", "namespace", watched.namespace, "--wait=false")
    assert drift(watched, "--heal", code=0)["drift"] == []
    assert len(watched.get("deployments")["items"]) == 1


def test_a_stage_that_is_not_in_the_cluster_is_not_healed(project: Clone) -> None:
    said = "nothing of test is at https://127.0.0.1:"
    for make in ((), ("create", "namespace", project.namespace)):
        if make:
            project.run("kubectl", *make)
        found = drift(project, code=3)
        assert [note for note in found["notes"] if note.startswith(said)]
        done = project.python("delivery", "drift", "test", "--heal", check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"A heal is not a deployment; nothing was changed: {said}")
        assert "Fix: deploy it with `make deploy STAGE=test`" in done.stderr
    # Another project's namespace of the same name is unchanged.
    assert "ml-deployments/stage" not in project.get("namespace", project.namespace)["metadata"]["labels"]
    assert project.get("deployments")["items"] == []


def test_what_a_killed_run_left_is_found_and_deleted(project: Clone) -> None:
    model_files(project.path, MANY)
    project.write_stack(models(MANY))
    kill_in_the_middle(project, at_least=5)
    recover(project)
    # Removed from the file before the next run: Pulumi never knew them.
    project.write_stack(models(1))
    project.up()
    found = drift(project, code=3)["drift"]
    orphans = {entry["name"] for entry in found if entry["kind"] == "Deployment"}
    assert len(orphans) >= 4
    assert {(entry["class"], entry["labelled"]) for entry in found} == {("extra", True)}
    assert {entry["manager"] for entry in found} == {"ml-deployments-test"}
    healed = drift(project, "--heal", code=0)["healed"]
    assert {entry["name"] for entry in healed if entry["kind"] == "Deployment"} == orphans
    assert [item["metadata"]["name"] for item in project.get("deployments")["items"]] == ["m000"]


def test_a_stage_with_its_monitoring_stack_has_no_drift(project: Clone) -> None:
    watch = f"{project.namespace}-watch"
    more = STACK.format(namespace=project.namespace)
    project.write_stack(models(1, replicas=2), more)
    project.up()
    wait_for(lambda: len(project.get("statefulsets", namespace=watch)["items"]) == 2)
    assert drift(project, code=0)["drift"] == []
    # Nor while a release rolls, and after it.
    project.write_stack(models(1, version="v2", replicas=2), more)
    assert {e["class"] for e in drift(project, code=3)["drift"]} == {"changed"}
    project.up()
    assert drift(project, code=0)["drift"] == []
    project.pulumi("destroy", "--yes", "--skip-preview")


def test_the_table_names_object_field_values_and_who(deployed: Clone) -> None:
    where = place(deployed, "m000")
    where.kubectl("scale", "deployment", "m000", "--replicas=1", f"--namespace={where.namespace}")
    where.kubectl("set", "env", "deployment/m000", "GUEST=1", f"--namespace={where.namespace}")
    done = deployed.python("delivery", "drift", "test", check=False)
    assert done.returncode == 3
    text = "".join(done.stdout.split())
    for part in ("env[name=GUEST]", "kubectl-set", "spec.replicas", "changed", "added"):
        assert part in text
    healed = deployed.python("delivery", "drift", "test", "--heal").stdout
    assert healed.startswith("Healed in test:")
    assert "0 differences" in healed
    assert deployed.python("delivery", "drift", "test").stdout.startswith("test: ")


def test_an_immutable_field_is_reported_with_the_fix(deployed: Clone) -> None:
    where = place(deployed, "m000")
    live = deployed.get("deployment", "m000")
    labels = {"app.kubernetes.io/name": "other"}
    live["spec"]["selector"] = {"matchLabels": labels}
    live["spec"]["template"]["metadata"]["labels"] |= labels
    live["metadata"] = {key: live["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    path = deployed.path / "other.json"
    path.write_text(json.dumps(live))
    where.kubectl("delete", "deployment", "m000", f"--namespace={where.namespace}")
    where.kubectl("create", f"--filename={path}")
    path.unlink()
    found = drift(deployed, "--heal", code=3)["drift"]
    fields = {entry["field"]: entry for entry in found if entry["kind"] == "Deployment"}
    selector = fields["spec.selector.matchLabels.app.kubernetes.io/name"]
    assert (selector["declared"], selector["live"]) == ("m000", "other")
    assert "immutable" in selector["reason"]
    done = deployed.python("delivery", "drift", "test", "--heal", check=False)
    way_out = f"kubectl delete deployment.apps m000 --namespace={where.namespace}"
    assert way_out in " ".join(done.stdout.split())
    deployed.run(*way_out.split())
    assert drift(deployed, "--heal", code=0)["drift"] == []


def test_what_the_stack_ignores_is_neither_reported_nor_healed(project: Clone) -> None:
    project.write_stack(
        models(1, replicas=3),
        "  ml-deployments:drift:\n    ignore:\n"
        '      - {kind: Deployment, name: "m*", field: spec.replicas}\n'
        "      - {kind: Ingress}\n",
    )
    project.up()
    where = place(project, "m000")
    where.kubectl("scale", "deployment", "m000", "--replicas=1", f"--namespace={where.namespace}")
    found = drift(project, code=0)
    assert (found["drift"], found["ignored"]) == ([], 1)
    assert "drift.ignore rule 2 (kind: Ingress) matched nothing" in found["notes"]
    # Healing something else of the same object leaves it alone too.
    where.kubectl("set", "image", "deployment/m000", "server=other:1", f"--namespace={where.namespace}")
    assert [e["field"].rpartition(".")[2] for e in drift(project, "--heal", code=0)["healed"]] == ["image"]
    assert project.get("deployment", "m000")["spec"]["replicas"] == 1


def test_an_autoscaler_is_named_and_not_fought(deployed: Clone) -> None:
    where = place(deployed, "m000")
    inside = f"--namespace={where.namespace}"
    where.kubectl("autoscale", "deployment", "m000", "--min=4", "--max=6", "--cpu=50%", inside)
    wait_for(lambda: deployed.get("deployment", "m000")["spec"]["replicas"] == 4)
    where.kubectl("set", "image", "deployment/m000", "server=registry.example.com/other:1", inside)
    found = drift(deployed, "--heal", code=3)
    assert [entry["field"].rpartition(".")[2] for entry in found["healed"]] == ["image"]
    (left,) = [entry for entry in found["drift"] if entry["kind"] == "Deployment"]
    assert (left["field"], left["live"], left["owner"]) == ("spec.replicas", 4, "a HorizontalPodAutoscaler")
    said = deployed.python("delivery", "drift", "test", "--heal", check=False).stdout
    assert "spec.replicas is kept as it is: it belongs to a HorizontalPodAutoscaler" in " ".join(said.split())
    assert deployed.get("deployment", "m000")["spec"]["replicas"] == 4
    # Without the autoscaler the replicas are ours again, whoever wrote them last.
    where.kubectl("delete", "hpa", "m000", inside)
    assert drift(deployed, "--heal", code=0)["drift"] == []
    assert deployed.get("deployment", "m000")["spec"]["replicas"] == 2


def test_what_platforms_put_on_a_namespace_is_reported_and_kept(deployed: Clone) -> None:
    where = place(deployed, "m000")
    written = {
        "annotate": {"field.cattle.io/projectId": "c-1:p-2", "openshift.io/sa.scc.uid-range": "1/2"},
        "label": {"istio-injection": "enabled"},
    }
    for verb, pairs in written.items():
        where.kubectl(verb, "namespace", where.namespace, *(f"{key}={value}" for key, value in pairs.items()))
    found = drift(deployed, "--heal", code=0)
    notes = "\n".join(found["notes"])
    for platform in ("Rancher", "OpenShift", "Istio"):
        assert f"has metadata of {platform}, which is not drift and is kept" in notes
    # What no list knows may be a platform's too: it is drift, and it stays.
    where.kubectl("annotate", "namespace", where.namespace, "platform.example.com/tenant=a")
    where.kubectl("label", "namespace", where.namespace, "pod-security.kubernetes.io/enforce-version=v1.30")
    found = drift(deployed, "--heal", code=3)
    assert [entry["field"] for entry in found["healed"]] == [
        "metadata.labels.pod-security.kubernetes.io/enforce-version"
    ]
    (left,) = found["drift"]
    assert (left["field"], left["owner"]) == (
        "metadata.annotations.platform.example.com/tenant",
        "kubectl-annotate",
    )
    metadata = deployed.get("namespace", where.namespace)["metadata"]
    assert written["annotate"].items() <= metadata["annotations"].items()
    assert written["label"].items() <= metadata["labels"].items()
    for verb, pairs in written.items():
        where.kubectl(verb, "namespace", where.namespace, *(f"{key}-" for key in pairs))
    where.kubectl("annotate", "namespace", where.namespace, "platform.example.com/tenant-")
    assert drift(deployed, code=0)["drift"] == []


def test_a_heal_does_not_overwrite_what_changed_since_it_looked(deployed: Clone) -> None:
    where = place(deployed, "m000")
    wanted, cluster = target(deployed.path, "test"), Kubectl(None, deployed.environment)
    where.kubectl("label", "service", "m000", "guest=1", f"--namespace={where.namespace}")
    before = look(wanted, cluster)
    where.kubectl("label", "service", "m000", "later=1", f"--namespace={where.namespace}")
    done = heal(wanted, cluster, before)
    assert "the object has been modified" in "".join(done.refused)
    assert {d.field for d in done.after.drift} == {"metadata.labels.guest", "metadata.labels.later"}
    assert heal(wanted, cluster, done.after).after.drift == ()


def test_a_stage_that_pull_mode_applies_has_no_drift_and_is_not_healed(project: Clone) -> None:
    where, path = place(project, "m000"), project.path / "objects.json"
    path.write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests(project.path, "test")})
    )
    where.kubectl("apply", "--server-side", "--field-manager=argocd-controller", f"--filename={path}")
    assert drift(project, code=0)["drift"] == []
    where.kubectl("label", "service", "m000", "guest=1", f"--namespace={where.namespace}")
    done = project.python("delivery", "drift", "test", "--heal", check=False)
    assert done.returncode == 1
    assert "is applied by argocd-controller" in done.stderr
    assert project.get("service", "m000")["metadata"]["labels"]["guest"] == "1"


def test_no_cluster_reachable(project: Clone, tmp_path: Path) -> None:
    kubeconfig = unused_kubeconfig(tmp_path)
    done = project.python("delivery", "drift", "test", check=False, KUBECONFIG=kubeconfig)
    assert done.returncode == 1
    assert "cannot reach the cluster at https://127.0.0.1:1 (context gone)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_context_that_does_not_exist(project: Clone) -> None:
    project.write_stack(models(1), "  ml-deployments:kubeContext: nowhere\n")
    done = project.python("delivery", "drift", "test", check=False)
    assert done.returncode == 1
    assert "(context nowhere)" in done.stderr
    assert 'context "nowhere" does not exist' in done.stderr
