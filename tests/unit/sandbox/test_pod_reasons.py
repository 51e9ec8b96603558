"""Why pods are not ready."""

from sandbox.cluster.pod_reasons import pod_reasons, reasons_of


def test_the_pods_reasons_are_named() -> None:
    pod = {
        "metadata": {"name": "p"},
        "status": {
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
            ],
            "containerStatuses": [
                {
                    "name": "server",
                    "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}},
                },
                {"name": "fine", "state": {"waiting": {"reason": "ContainerCreating"}}},
                {
                    "name": "loops",
                    "restartCount": 3,
                    "ready": False,
                    "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                },
            ],
        },
    }
    assert reasons_of([pod, pod]) == [
        "pod p: PodScheduled: Unschedulable: 0/3 nodes",
        "pod p: container server waiting: ImagePullBackOff: no such tag",
        "pod p: container loops restarted 3 times: OOMKilled, exit code 137",
    ]


def test_a_pod_that_runs_and_is_not_ready_says_so_and_one_that_is_ready_nothing() -> None:
    def pod(ready: str) -> dict[str, object]:
        condition = {"type": "Ready", "status": ready, "reason": "ContainersNotReady", "message": "probe"}
        return {"metadata": {"name": "p"}, "status": {"conditions": [condition]}}

    assert pod_reasons(pod("False")) == ["pod p: Ready: ContainersNotReady: probe"]
    assert pod_reasons(pod("True")) == []
