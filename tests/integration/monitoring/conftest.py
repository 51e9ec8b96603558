"""A stage that is deployed, watched and gets requests, shared by the tests of a file."""

import os
from collections.abc import Iterator

import pytest

from sandbox.harness.clone import Clone
from sandbox.harness.sandboxes import project_of
from sandbox.harness.waiting import eventually
from tests.integration.monitoring.alertmanager import Inbox
from tests.integration.monitoring.replicas import load, set_faults
from tests.integration.monitoring.scene import AVAILABILITY, Scene, scene, wait_for_state

# Every duration is so many times shorter; with 1, they are the real figures of the page.
SPEED = int(os.environ.get("MONITORING_SPEED", "10"))
STACK = """\
  ml-deployments:monitoring:
    namespace: {namespace}-watch
    delivery: operator
    stack:
      install: true
      receivers:
        - {{webhookUrl: {inbox}/everybody}}
        - {{owner: team-language, webhookUrl: {inbox}/team-language}}
        - {{owner: team-language, severity: page, webhookUrl: {inbox}/team-language-pager}}
"""


@pytest.fixture(scope="module")
def deployed(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, Inbox]]:
    """A stage with one model of two replicas and its own monitoring stack."""
    project = project_of(sandbox, tmp_path_factory.mktemp("watched"), "ml-watched", 1)
    with Inbox() as inbox:
        text = STACK.format(namespace=project.namespace, inbox=inbox.address)
        project.write_stack('    m000: {version: "v1", replicas: 2}\n', text)
        project.pulumi("stack", "init")
        project.up()
        yield project, inbox
        project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def playing(deployed: tuple[Clone, Inbox], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The stage with everything around it running, and with requests."""
    project, inbox = deployed
    folder = tmp_path_factory.mktemp("scene")
    with scene(project, folder, inbox, SPEED) as found, load(found.servers):
        budget = 'model:slo_error_budget_remaining:ratio{slo="latency"}'
        eventually(lambda: found.prometheus.query(budget), 60 * 60 / SPEED, "the error budget is recorded")
        yield found


@pytest.fixture(scope="module")
def burning(playing: Scene) -> Scene:
    """A fifth of the requests fails, until the owner is paged."""
    # A busy machine may have failed one of the first requests.
    wait_for_state(playing, "inactive", AVAILABILITY, 3600 / SPEED, window="1h")
    set_faults(playing.folder, errors=20)
    wait_for_state(playing, "pending", AVAILABILITY, 600 / SPEED, window="1h")
    wait_for_state(playing, "firing", AVAILABILITY, 600 / SPEED, window="1h")
    return playing
