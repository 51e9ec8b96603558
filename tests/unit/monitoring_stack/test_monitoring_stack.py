"""A stage's own monitoring stack: its objects, and that two stacks do not share any."""

from pathlib import Path

from delivery.rendering.render import manifests, render
from sandbox.harness.registrations import record
from tests.support.monitoring_stacks import INSTALLED, STAGE_LABEL, Manifest, of_kind, one, stack_of
from tests.support.projects import GOOD_STACK, problems, project


def test_nothing_of_it_without_install(tmp_path: Path, installed: list[Manifest]) -> None:
    text = "  ml-deployments:monitoring: {delivery: operator, selectorLabels: {release: x}}\n"
    without = stack_of(tmp_path, text)
    assert {m["metadata"].get("namespace", "ml-test") for m in without} == {"ml-test"}
    assert len(of_kind(without, "Namespace")) == 1
    assert {m["kind"] for m in installed} - {m["kind"] for m in without} == {
        *("Alertmanager", "AlertmanagerConfig", "Prometheus", "ScrapeConfig"),
        *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    }


def test_every_object_says_its_stage_and_its_field_manager(installed: list[Manifest]) -> None:
    for manifest in installed:
        assert manifest["metadata"]["labels"][STAGE_LABEL] == "test"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/part-of"] == "ml-deployments"
        annotations = manifest["metadata"]["annotations"]
        assert annotations["pulumi.com/patchFieldManager"] == "ml-deployments-test"


def test_its_namespace_is_restricted_whatever_the_models_opted_out_of(tmp_path: Path) -> None:
    found = stack_of(tmp_path, INSTALLED + "  ml-deployments:podSecurity: baseline\n")
    enforced = "pod-security.kubernetes.io/enforce"
    assert one(found, "Namespace", "watch")["metadata"]["labels"][enforced] == "restricted"
    assert one(found, "Namespace", "ml-test")["metadata"]["labels"][enforced] == "baseline"


def test_two_stages_of_one_cluster_share_no_name(tmp_path: Path, installed: list[Manifest]) -> None:
    folder = project(tmp_path)
    text = (GOOD_STACK + INSTALLED).replace("watch", "watch-2").replace("ml-test", "ml-second")
    (folder / "Pulumi.second.yaml").write_text(text)
    second = manifests(folder, "second")

    def identities(found: list[Manifest]) -> set[tuple[str, str, str]]:
        return {(m["kind"], m["metadata"].get("namespace", ""), m["metadata"]["name"]) for m in found}

    assert not identities(installed) & identities(second)
    cluster = [m for m in second if "namespace" not in m["metadata"]]
    assert {m["kind"] for m in cluster} == {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def test_one_file_an_object_also_where_two_namespaces_have_the_name(tmp_path: Path) -> None:
    folder = project(tmp_path, GOOD_STACK + INSTALLED)
    written = render(folder, "test", tmp_path / "out")
    assert len(written) == len(manifests(folder, "test"))
    names = {path.name for path in written}
    assert {"role-ml-test.prometheus.yaml", "role-watch.prometheus.yaml", "deployment-grafana.yaml"} <= names


def test_everything_has_the_explicit_provider(tmp_path: Path) -> None:
    registered = record(project(tmp_path, GOOD_STACK + INSTALLED), "test")
    made = [r for r in registered if r.type.startswith("kubernetes:")]
    assert {r.provider.rpartition("::")[0].rpartition("::")[2] for r in made} == {"kubernetes"}
    assert [r.name for r in registered if r.type == "ml-deployments:index:MonitoringStack"] == ["test"]


def test_the_stages_own_namespace_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK + INSTALLED.replace("watch", "ml-test")))
    assert problem.field == "config.ml-deployments:monitoring"
    assert problem.line == GOOD_STACK.count("\n") + 1
    assert "not ml-test, which the stage owns already" in problem.reason
    assert problem.fix == "name another one under monitoring.namespace"


def test_the_stages_own_namespace_may_contain_other_monitoring(tmp_path: Path) -> None:
    assert stack_of(tmp_path, "  ml-deployments:monitoring: {namespace: ml-test}\n")
