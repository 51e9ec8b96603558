"""What the Kubernetes plugin's stand-in says of rollouts and deletions, from recorded objects."""

import threading
from typing import Any

import pytest

from sandbox.stand_ins.kubernetes_provider.awaits import Rollouts, pod_reasons, verdict, wait_deleted
from sandbox.stand_ins.kubernetes_provider.errors import NotReadyError, ProviderError
from sandbox.stand_ins.kubernetes_provider.provider import _skips_await, _timeout


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


WAITING = {"name": "init", "state": {"waiting": {"reason": "ErrImagePull", "message": "no tag"}}}
RESTARTED = {
    "name": "server",
    "restartCount": 4,
    "ready": False,
    "state": {"running": {}},
    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
}
UNREADY = {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "server"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {"initContainerStatuses": [WAITING]},
            ["pod p: container init waiting: ErrImagePull: no tag"],
        ),
        (
            {"containerStatuses": [RESTARTED], "conditions": [UNREADY]},
            ["pod p: container server restarted 4 times: OOMKilled, exit code 137"],
        ),
        ({"conditions": [UNREADY]}, ["pod p: Ready: ContainersNotReady: server"]),
        ({"conditions": [{"type": "Ready", "status": "True"}]}, []),
    ],
)
def test_why_a_pod_is_not_ready(status: dict[str, Any], expected: list[str]) -> None:
    assert pod_reasons(pod(**status)) == expected


def deployment(uid: str = "1", generation: int = 1, **status: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "n", "uid": uid, "generation": generation},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}},
        "status": {"observedGeneration": generation, **status},
    }


READY = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
FORBIDDEN = {
    "type": "ReplicaFailure",
    "status": "True",
    "reason": "FailedCreate",
    "message": "violates PodSecurity",
}
STUCK = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "timed out",
}


class FakeApi:
    def __init__(self, deployments: list[Any], pods: list[Any] | None = None) -> None:
        self.deployments, self.pods = deployments, pods or []

    def list(self, version: str, kind: str, namespace: str, selector: str = "") -> list[Any]:
        if kind == "Pod":
            return self.pods
        if not self.deployments:
            raise ProviderError("cannot reach the cluster")
        return [self.deployments.pop(0) if len(self.deployments) > 1 else self.deployments[0]]

    def read(self, manifest: Any) -> Any:
        return self.deployments.pop(0) if self.deployments else None


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.stand_ins.kubernetes_provider.awaits.POLL_SECONDS", 0.0)


def wait(api: FakeApi, timeout: float = 5, cancelled: bool = False) -> Any:
    event = threading.Event()
    if cancelled:
        event.set()
    return Rollouts(api, event).wait(deployment(uid="2", generation=3), timeout)  # type: ignore[arg-type]


def test_neither_an_earlier_object_nor_an_earlier_generation_counts_as_ready() -> None:
    earlier = [deployment(uid="1", generation=9, **READY), deployment(uid="2", generation=2, **READY)]
    last = deployment(uid="2", generation=3, **READY)
    assert wait(FakeApi([*earlier, last])) is last


def test_a_failed_rollout_names_what_its_replica_set_and_pods_say() -> None:
    live = deployment(uid="2", generation=3, conditions=[STUCK, FORBIDDEN])
    with pytest.raises(NotReadyError) as caught:
        wait(FakeApi([live], [pod(containerStatuses=[{**WAITING, "name": "server"}])]))
    text = str(caught.value)
    for part in (
        "Deployment n/a",
        "FailedCreate: violates PodSecurity",
        "container server waiting: ErrImagePull",
    ):
        assert part in text
    assert caught.value.live is live


def test_a_timeout_says_how_long_was_waited() -> None:
    with pytest.raises(NotReadyError, match="is not ready after 0 s: of 1 replicas 0 are updated"):
        wait(FakeApi([deployment(uid="2", generation=3)]), timeout=0)


def test_an_object_is_recorded_although_it_cannot_be_followed_or_the_update_is_cancelled() -> None:
    with pytest.raises(NotReadyError, match="cannot be followed: cannot reach the cluster"):
        wait(FakeApi([]))
    with pytest.raises(NotReadyError, match="still rolling when the update was cancelled"):
        wait(FakeApi([deployment()]), cancelled=True)


def test_a_deletion_ends_when_the_object_or_its_uid_is_gone() -> None:
    event = threading.Event()
    wait_deleted(FakeApi([deployment()]), deployment(), "1", 5, event)  # type: ignore[arg-type]
    again = FakeApi([deployment(uid="other")] * 2)
    wait_deleted(again, deployment(), "1", 5, event)  # type: ignore[arg-type]
    assert len(again.deployments) == 1


def test_a_deletion_that_is_held_names_the_finalizers() -> None:
    held = deployment()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    with pytest.raises(ProviderError, match=r"still there after -1 s; .*example.com/hold"):
        wait_deleted(FakeApi([held]), held, "1", -1, threading.Event())  # type: ignore[arg-type]


class Request:
    def __init__(self, timeout: float) -> None:
        self.timeout = timeout


def test_annotations_of_the_official_plugin_are_honoured() -> None:
    def annotated(**values: str) -> dict[str, Any]:
        return {"metadata": {"annotations": {f"pulumi.com/{key}": value for key, value in values.items()}}}

    assert _skips_await(annotated(skipAwait="true"))
    assert not _skips_await(annotated(skipAwait="false"))
    assert not _skips_await({"metadata": {}})
    assert _timeout(Request(0), annotated(timeoutSeconds="20")) == 20
    assert _timeout(Request(5), annotated(timeoutSeconds="20")) == 5
    assert _timeout(Request(0), annotated()) == 600


def job(*conditions: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "n"},
        "spec": {"selector": {"matchLabels": {"job-name": "j"}}},
        "status": {"failed": 3, "conditions": list(conditions)},
    }


FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many tries"}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], "waiting"),
        ([{"type": "SuccessCriteriaMet", "status": "True"}], "waiting"),
        ([{"type": "Complete", "status": "True"}], "ready"),
        ([FAILED], "failed"),
    ],
)
def test_a_job_is_waited_for_until_it_has_ended(conditions: list[dict[str, str]], expected: str) -> None:
    assert verdict(job(*conditions)) == expected


def test_why_a_job_has_failed() -> None:
    class NoPods:
        def list(self, *arguments: str) -> list[dict[str, Any]]:
            return []

    text = Rollouts(NoPods(), threading.Event()).explain(job(FAILED))  # type: ignore[arg-type]

    assert text.splitlines() == [
        "Job n/j is not ready and has ended: 3 of its pods have failed",
        "  Failed: BackoffLimitExceeded: too many tries",
    ]
