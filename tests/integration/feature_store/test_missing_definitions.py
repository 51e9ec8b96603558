"""A cluster without the operator's definitions: a deployment is refused before anything is changed."""

from collections.abc import Iterator

import pytest

from sandbox.harness.clone import Clone
from sandbox.harness.repository import initialise
from sandbox.tools.go_build import operator_crds

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


def test_an_unknown_kind_is_refused_before_the_update(without_definition: Clone) -> None:
    project = without_definition
    project.write_stack('    m000: {version: "v1", replicas: 1}\n', MONITORING)
    initialise(project)
    done = project.python("delivery", "deployable", "test", check=False)
    assert done.returncode == 1
    assert "does not have the kind ServiceMonitor in monitoring.coreos.com/v1" in done.stderr
    assert "Fix: install the custom resource definition of each" in done.stderr
    assert "Traceback" not in done.stderr
    found = project.run("kubectl", "get", "namespace", project.namespace, "--ignore-not-found").stdout
    assert not found


@pytest.mark.soak
def test_an_update_that_was_not_asked_before_names_the_kind(without_definition: Clone) -> None:
    project = without_definition
    project.write_stack('    m000: {version: "v1", replicas: 1}\n', MONITORING)
    # The plugin tries again for a minute.
    done = project.up(check=False)
    assert done.returncode != 0
    assert 'no matches for kind "ServiceMonitor"' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
