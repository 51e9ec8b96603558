"""Scenarios in the series of Kubernetes."""

from collections.abc import Iterator

from components.settings.model import ModelSettings
from components.settings.watching import AlertName
from tests.integration.rules.samples import Sample
from tests.integration.rules.scenario import Scenario, scenario
from tests.integration.rules.series import (
    NAME,
    NAMESPACE,
    PODS,
    STEP,
    constant,
    container,
    deployment,
    written,
)


def pod_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 20 * 60
    for pod, fires in ((PODS[0], True), ("a-b-5d9c7b8f6-abcde", False)):
        waiting = container("kube_pod_container_status_waiting_reason", pod, reason="CrashLoopBackOff")
        whose = "its own" if fires else "another model's"
        yield scenario(
            model,
            AlertName.CRASH_LOOPING,
            f"{whose} pod crashes",
            seconds,
            fires=fires,
            changes={waiting: constant(1, seconds)},
        )
    killed = container("kube_pod_container_status_last_terminated_reason", reason="OOMKilled")
    restarts = container("kube_pod_container_status_restarts_total")
    for restart, fires in ((f"0x10 1x{seconds // STEP - 10}", True), (constant(1, seconds), False)):
        yield scenario(
            model,
            AlertName.OUT_OF_MEMORY_KILLED,
            "killed now" if fires else "killed long ago",
            seconds,
            fires=fires,
            changes={killed: constant(1, seconds), restarts: restart},
        )
    for used, fires in ((97, True), (90, False)):
        for prefix in ("", "exported_"):
            labels = f'{prefix}namespace="{NAMESPACE}",{prefix}pod="{PODS[0]}",gpu="0"'
            yield scenario(
                model,
                AlertName.GPU_MEMORY_HIGH,
                f"{used} % used, label {prefix}pod",
                seconds,
                fires=fires,
                changes={
                    f"DCGM_FI_DEV_FB_USED{{{labels}}}": constant(used, seconds),
                    f"DCGM_FI_DEV_FB_FREE{{{labels}}}": constant(100 - used, seconds),
                },
            )


def deployment_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 30 * 60
    ready, available = deployment("status_replicas_ready"), deployment("status_replicas_available")
    none = {ready: constant(0, seconds), available: constant(0, seconds)}
    yield scenario(
        model,
        AlertName.NOT_READY,
        "no replica is ready",
        seconds,
        fires=True,
        changes=dict(none),
        also={AlertName.REPLICAS_BELOW_DESIRED: 1},
    )
    yield scenario(
        model,
        AlertName.NOT_READY,
        "the exporter restarts in the middle of an outage",
        5 * 60,
        fires=True,
        changes={
            ready: None,
            ready.replace("{", '{instance="one",'): "0x2",
            ready.replace("{", '{instance="two",'): "_x2 0x3",
        },
    )
    new = {**none, deployment("created"): constant(0, 8 * 60)}
    yield scenario(
        model, AlertName.NOT_READY, "the Deployment is new", 8 * 60, fires=False, changes=dict(new)
    )
    desired = deployment("spec_replicas")
    back = f"0x10 2x{seconds // STEP - 11}"
    yield scenario(
        model,
        AlertName.NOT_READY,
        "started again eight minutes ago",
        18 * 60,
        fires=False,
        changes={ready: constant(0, seconds), available: f"0x10 2x{seconds // STEP}", desired: back},
    )
    for gone, fires in ((20 * 60, True), (10 * 60, False)):
        yield scenario(
            model,
            AlertName.KUBERNETES_STATE_ABSENT,
            f"the exporter has been away for {gone // 60} minutes",
            gone,
            fires=fires,
            changes={ready: None, available: None, desired: None},
        )
    stopped = {**none, deployment("spec_replicas"): constant(0, seconds)}
    yield scenario(
        model, AlertName.NOT_READY, "stopped on purpose", seconds, fires=False, changes=dict(stopped)
    )
    yield scenario(
        model,
        AlertName.REPLICAS_BELOW_DESIRED,
        "one of two is missing",
        seconds,
        fires=True,
        changes={ready: constant(1, seconds), available: constant(1, seconds)},
    )
    yield scenario(
        model,
        AlertName.REPLICAS_BELOW_DESIRED,
        "one of two was missing",
        seconds,
        fires=False,
        changes={available: f"1x8 2x{seconds // STEP - 8}"},
    )
    stuck = deployment("status_condition", condition="Progressing", status="false")
    for value, fires in ((1, True), (0, False)):
        yield scenario(
            model,
            AlertName.ROLLOUT_STUCK,
            f"Progressing is false: {value}",
            seconds,
            fires=fires,
            changes={stuck: constant(value, seconds)},
        )
    old = written(("up", {}), "a-6f6f6f6f6-klmno", "v0")
    for lasting, fires in ((constant(1, seconds), True), (f"1x5 _x{seconds // STEP - 5}", False)):
        yield scenario(
            model,
            AlertName.VERSION_MISMATCH,
            "the old version stays" if fires else "the old version leaves",
            seconds,
            fires=fires,
            changes={old: lasting},
        )
    scaler = f'{{namespace="{NAMESPACE}",horizontalpodautoscaler="{NAME}"}}'
    for current, fires in ((5, True), (4, False)):
        values = {"status_current_replicas": current, "spec_max_replicas": 5, "spec_min_replicas": 2}
        yield scenario(
            model,
            AlertName.AUTOSCALER_AT_MAXIMUM,
            f"{current} of 5",
            seconds,
            fires=fires,
            changes={
                f"kube_horizontalpodautoscaler_{metric}{scaler}": constant(value, seconds)
                for metric, value in values.items()
            },
        )
