"""Which namespaces a stage may have, and what it does with one that is someone else's."""

from pathlib import Path

import pytest

from tests.support.monitoring_stacks import INSTALLED
from tests.support.projects import GOOD_STACK, named, problems, project

MONITORING = "  ml-deployments:monitoring: {{namespace: {}}}\n"


@pytest.mark.parametrize(
    ("namespace", "owner"),
    [
        ("kube-system", "Kubernetes"),
        ("kube-flannel", "Kubernetes"),
        ("default", "every cluster"),
        ("argocd", "Argo CD"),
        ("flux-system", "Flux"),
        ("pulumi-kubernetes-operator", "the Pulumi operator"),
        ("cert-manager", "cert-manager"),
        ("openshift-monitoring", "OpenShift"),
        ("cattle-system", "Rancher"),
        ("istio-system", "Istio"),
    ],
)
def test_a_namespace_of_others_is_refused_for_a_stage(tmp_path: Path, namespace: str, owner: str) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK.replace("ml-test", namespace)))
    assert (problem.file, problem.line) == ("Pulumi.test.yaml", 2)
    assert problem.field == "config.ml-deployments:namespace"
    assert problem.value == namespace
    assert f"belongs to {owner}" in problem.reason


@pytest.mark.parametrize("namespace", ["kube-system", "default", "argocd", "flux-system"])
def test_a_namespace_of_others_is_refused_for_monitoring(tmp_path: Path, namespace: str) -> None:
    (problem,) = problems(project(tmp_path / "scrapes", GOOD_STACK + MONITORING.format(namespace)))
    assert problem.field == "config.ml-deployments:monitoring.namespace"
    (problem,) = problems(project(tmp_path / "own", GOOD_STACK + INSTALLED.replace("watch", namespace)))
    assert "belongs to" in problem.reason


def test_the_prometheus_of_a_platform_may_scrape_and_its_namespace_is_not_taken(tmp_path: Path) -> None:
    named(project(tmp_path / "scrapes", GOOD_STACK + MONITORING.format("openshift-monitoring")))
    (problem,) = problems(
        project(tmp_path / "own", GOOD_STACK + INSTALLED.replace("watch", "openshift-monitoring"))
    )
    assert "openshift-monitoring belongs to OpenShift" in problem.reason


@pytest.mark.parametrize(
    "namespace", ["ml-test", "kubeflow", "recommender-system", "fleet-models", "defaults"]
)
def test_names_that_only_look_like_theirs_are_accepted(tmp_path: Path, namespace: str) -> None:
    named(project(tmp_path, GOOD_STACK.replace("ml-test", namespace)))


def test_a_namespace_that_is_not_owned_is_neither_made_nor_closed(tmp_path: Path) -> None:
    owned = named(project(tmp_path / "owned"))
    foreign = named(project(tmp_path / "foreign", GOOD_STACK + "  ml-deployments:namespaceOwned: false\n"))
    assert owned.keys() - foreign.keys() == {
        "Namespace ml-test",
        "NetworkPolicy default-deny.ml-deployments",
    }
    assert foreign == {key: value for key, value in owned.items() if key in foreign}
