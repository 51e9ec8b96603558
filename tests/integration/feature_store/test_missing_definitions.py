"""A cluster without the operator's definitions: the preview says so, and nothing is changed."""

from collections.abc import Iterator

import pytest

from sandbox.go_build import operator_crds
from tests.integration.clone import Clone

MONITORING = "  ml-deployments:monitoring: {delivery: operator, selectorLabels: {release: prometheus}}\n"
DEFINITION = "servicemonitors.monitoring.coreos.com"


@pytest.fixture
def without_definition(project: Clone) -> Iterator[Clone]:
    """The project in a cluster that does not know ServiceMonitors."""
    project.run("kubectl", "delete", "crd", DEFINITION, "--timeout=60s")
    try:
        yield project
    finally:
        file = operator_crds() / "monitoring.coreos.com_servicemonitors.yaml"
        project.run("kubectl", "apply", "--server-side", f"--filename={file}")
        project.run("kubectl", "wait", "--for=condition=Established", f"crd/{DEFINITION}", "--timeout=30s")


def test_an_unknown_kind_stops_the_preview_and_nothing_is_changed(without_definition: Clone) -> None:
    project = without_definition
    project.write_stack('    m000: {version: "v1", replicas: 1}\n', MONITORING)
    done = project.pulumi("up", "--yes", check=False)
    assert done.returncode != 0
    assert 'no matches for kind "ServiceMonitor"' in done.stdout
    assert "Fix: install the custom resource definition" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    found = project.run("kubectl", "get", "namespace", project.namespace, "--ignore-not-found").stdout
    assert not found
