"""Our rule of the restricted Pod Security Standard; tests/integration checks the same cases on a real API server."""

from typing import Any

import pytest

from delivery.policies.restricted_pods import restricted_pods
from delivery.policies.stage import StageRules
from tests.support.pod_security_cases import ACCEPTED, REFUSED, Template, changed, good_template

RULES = StageRules(stage="test", serving=frozenset({"ml-test"}), namespaces=frozenset({"ml-test"}))


def messages(template: Template) -> list[str]:
    deployment: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "ml-test"},
        "spec": {"template": template},
    }
    return [finding.reason for finding in restricted_pods(deployment, RULES)]


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_standard_forbids_is_found(case: str) -> None:
    assert messages(changed(REFUSED[case]))


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_the_standard_allows_passes(case: str) -> None:
    assert messages(changed(ACCEPTED[case])) == []


def test_a_host_process_of_windows_is_found() -> None:
    """The API server refuses such a pod for other reasons first, so it is not a case for both."""
    template = good_template()
    template["spec"]["containers"][0]["securityContext"]["windowsOptions"] = {"hostProcess": True}
    assert messages(template) == ["container server must not set windowsOptions.hostProcess"]
