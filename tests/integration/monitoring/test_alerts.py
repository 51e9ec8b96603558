"""What happens when a stage really fails: each case has its own duration, so that all of them take long."""

import json

import pytest

from sandbox.harness.waiting import eventually
from tests.integration.monitoring.alertmanager import inhibited
from tests.integration.monitoring.replicas import set_faults
from tests.integration.monitoring.scene import (
    AVAILABILITY,
    LATENCY,
    PAGER,
    Scene,
    pods_of,
    wait_for_state,
)

pytestmark = pytest.mark.soak


def test_the_page_inhibits_the_ticket(burning: Scene) -> None:
    ticket = (AVAILABILITY, "ticket")
    eventually(
        lambda: ticket in inhibited(burning.alertmanager), 5400 / burning.speed, "the ticket is inhibited"
    )
    assert AVAILABILITY not in burning.inbox.received("/team-language")


def test_the_page_is_resolved_when_the_errors_end(burning: Scene) -> None:
    set_faults(burning.folder)
    wait_for_state(burning, "inactive", AVAILABILITY, 900 / burning.speed, window="1h")
    eventually(
        lambda: AVAILABILITY in burning.inbox.received(PAGER, "resolved"),
        1200 / burning.speed,
        "the all-clear",
    )


def test_slow_requests_burn_the_latency_budget(playing: Scene) -> None:
    set_faults(playing.folder, slow=100)
    wait_for_state(playing, "firing", LATENCY, 3600 / playing.speed, window="1h")
    quantile = 'model_version:request_duration_seconds:quantile5m{quantile="0.95"}'
    assert playing.prometheus.value(f"max({quantile})") > 0.5
    set_faults(playing.folder)
    wait_for_state(playing, "inactive", LATENCY, 900 / playing.speed, window="1h")


def test_a_failed_load_and_a_lost_replica_are_reported(playing: Scene) -> None:
    broken = playing.folder / "broken.skops"
    broken.write_bytes(b"no model")
    replica = playing.servers[0]
    replica.start(broken)
    wait_for_state(playing, "firing", "ModelLoadFailed", 60 + 600 / playing.speed, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelLoadFailed", 600 / playing.speed)
    replica.stack.close()
    wait_for_state(playing, "pending", "ModelTargetDown", 600 / playing.speed, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelTargetDown", 600 / playing.speed)


def test_a_version_that_is_not_the_files_is_reported(playing: Scene) -> None:
    labels = {"metadata": {"labels": {"app.kubernetes.io/version": "v0"}}}
    command = ("patch", "deployment", "m000", f"--namespace={playing.project.namespace}")
    playing.project.run("kubectl", *command, f"--patch={json.dumps({'spec': {'template': labels}})}")
    _play_pods(playing, "v0")
    wait_for_state(playing, "firing", "ModelVersionMismatch", 2400 / playing.speed, version="v0")
    playing.project.up("--refresh")
    _play_pods(playing, "v1")
    wait_for_state(playing, "inactive", "ModelVersionMismatch", 600 / playing.speed)


def _play_pods(playing: Scene, version: str) -> None:
    """Let the servers simulate the pods of a version, once the Deployment has rolled to it."""
    project, selector = playing.project, f"app.kubernetes.io/version={version}"

    def rolled() -> bool:
        pods = pods_of(project, project.namespace, selector)
        return len(pods) == len(playing.servers) and all("podIP" in pod["status"] for pod in pods)

    eventually(rolled, 60, f"the Deployment rolls to {version}")
    for pod, server in zip(pods_of(project, project.namespace, selector), playing.servers, strict=True):
        playing.network.hosts[pod["status"]["podIP"]] = server.address
