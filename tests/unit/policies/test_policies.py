"""What the policies find in whole stages: those committed, and those with exceptions."""

from pathlib import Path

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from delivery.policies.findings import violations
from delivery.policies.violation import Violation
from delivery.rendering.render import manifests
from tests.support.projects import CHECKOUT, GOOD_STACK, entry, problems, project


def policy_violations(folder: Path, stage: str) -> list[Violation]:
    settings = load_stack(Sources.of(folder), stage).settings
    return violations(folder, settings, manifests(folder, stage))


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_the_committed_stages_pass(stage: str) -> None:
    assert [v for v in policy_violations(CHECKOUT, stage) if v.policy != "version-order"] == []


def test_production_requires_high_availability() -> None:
    assert load_stack(Sources.of(CHECKOUT), "production").settings.policy.high_availability


def test_mandatory_violations_come_first(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        entry('version: "v1"\nreplicas: 1\nsecurity: {runAsNonRoot: false}')
        + "  ml-deployments:policy:\n    highAvailability: true\n"
        + '    exceptions: [{policy: replicas, name: a, reason: small, until: "2999-12-31"}]\n',
    )

    found = policy_violations(folder, "test")

    assert [(v.policy, v.level.value) for v in found] == [
        ("restricted-pods", "mandatory"),
        ("replicas", "advisory"),
        ("version-order", "advisory"),
    ]
    assert str(found[0]).startswith("restricted-pods: Deployment ml-test/a: the pod must set runAsNonRoot")


def test_an_exception_for_no_policy_is_refused(tmp_path: Path) -> None:
    text = '  ml-deployments:policy: {exceptions: [{policy: replica, name: a, reason: b, until: "2999-12-31"}]}\n'
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert problem.field == "config.ml-deployments:policy.exceptions[0].policy"
