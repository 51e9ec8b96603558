"""Which namespaces a stage may use, by what is in the cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.settings.stack import StackSettings
from components.stack import load_stack
from delivery.drift.kubectl import Kubectl, Manifest
from delivery.releases.namespaces import namespace_guard, refuse_namespaces_of_others
from tests.support.monitoring_stacks import INSTALLED
from tests.support.projects import GOOD_STACK, project

STAGE = "ml-deployments/stage"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
FOREIGN = "  ml-deployments:namespaceOwned: false\n"


class Cluster(Kubectl):
    """Has some namespaces and nothing else."""

    def __init__(self, **labels: dict[str, str]) -> None:
        super().__init__(None)
        self.labels = {name.replace("_", "-"): found for name, found in labels.items()}

    def get(self, manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
        names = [manifest["metadata"]["name"] for manifest in manifests]
        return [
            {"kind": "Namespace", "metadata": {"name": name, "labels": self.labels[name]}}
            for name in names
            if name in self.labels
        ]


def settings(folder: Path, more: str = "") -> StackSettings:
    return load_stack(Sources.of(project(folder, GOOD_STACK + more)), "test").settings


def refused(stack: StackSettings, cluster: Cluster) -> tuple[Problem, ...]:
    try:
        refuse_namespaces_of_others(stack, cluster)
    except SettingsError as error:
        return error.problems
    return ()


def test_what_does_not_exist_or_has_the_mark_is_the_stages(tmp_path: Path) -> None:
    stack = settings(tmp_path, INSTALLED)
    assert refused(stack, Cluster()) == ()
    assert refused(stack, Cluster(ml_test={STAGE: "test"}, watch={STAGE: "test"})) == ()


def test_each_namespace_of_others_is_named(tmp_path: Path) -> None:
    two, one = refused(settings(tmp_path, INSTALLED), Cluster(ml_test={}, watch={STAGE: "other"}))
    assert (one.field, one.value) == ("config.ml-deployments:namespace", "ml-test")
    assert (two.field, two.value) == ("config.ml-deployments:monitoring.namespace", "watch")
    assert "belongs to the stage other" in two.reason
    assert "namespaceOwned" not in two.fix


def test_a_namespace_that_is_not_owned_must_exist_and_enforce_the_standard(tmp_path: Path) -> None:
    stack = settings(tmp_path, FOREIGN)
    assert refused(stack, Cluster(ml_test=RESTRICTED)) == ()
    (missing,) = refused(stack, Cluster())
    assert missing.reason == "does not exist"
    (bare,) = refused(stack, Cluster(ml_test={}))
    assert "enforces no Pod Security Standard" in bare.reason
    (other,) = refused(stack, Cluster(ml_test={"pod-security.kubernetes.io/enforce": "baseline"}))
    assert "enforces baseline, and the stage's podSecurity is restricted" in other.reason


def test_giving_a_namespace_away_does_not_delete_it(tmp_path: Path) -> None:
    (problem,) = refused(settings(tmp_path, FOREIGN), Cluster(ml_test={**RESTRICTED, STAGE: "test"}))
    assert "the next update would delete it with everything in it" in problem.reason
    assert "pulumi state delete" in problem.fix


def test_without_kubectl_the_program_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    warning = namespace_guard(settings(tmp_path / "project"))("ml-test")
    assert warning is not None
    assert "kubectl is not installed" in warning
