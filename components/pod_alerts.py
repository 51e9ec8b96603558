"""Alerts on what Kubernetes and the GPU exporter tell of the model's pods. Pure functions."""

from collections.abc import Iterator

from components.alert import Alert, threshold
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName, Severity
from components.pod import CONTAINER
from components.series import picked
from components.settings import StackSettings

GPU = "nvidia.com/gpu"
_GPU_MEMORY_LIMIT = "0.95"


def pod_alerts(model: ModelSettings, stack: StackSettings) -> Iterator[Alert]:
    """What Kubernetes tells of the pods."""
    name = model.name
    pods = f'pod=~"{pod_pattern(model)}"'
    containers = {"namespace": stack.namespace, "container": CONTAINER}
    waiting = picked(
        "kube_pod_container_status_waiting_reason", {**containers, "reason": "CrashLoopBackOff"}, pods
    )
    killed = picked(
        "kube_pod_container_status_last_terminated_reason", {**containers, "reason": "OOMKilled"}, pods
    )
    restarts = picked("kube_pod_container_status_restarts_total", containers, pods)
    yield Alert(
        name=AlertName.CRASH_LOOPING,
        severity=Severity.TICKET,
        expression=f"max_over_time({waiting}[5m]) >= 1",
        pending="15m",
        summary=f"A replica of {name} crashes again and again",
        description="{{ $labels.pod }} waits in CrashLoopBackOff (value {{ $value }}).",
    )
    yield Alert(
        name=AlertName.OUT_OF_MEMORY_KILLED,
        severity=Severity.TICKET,
        expression=f"increase({restarts}[15m]) > 0\nand on (namespace, pod, container)\n{killed} == 1",
        pending="0s",
        summary=f"A replica of {name} was killed for its memory",
        description=(
            "{{ $labels.pod }} restarted {{ $value | humanize }} times in 15 minutes, the last time because it "
            f"needed more than its limit of {model.resources.limits['memory']}."
        ),
    )
    if GPU in model.resources.limits:
        yield _gpu_memory(model, stack)


def gpu_memory_limit(model: ModelSettings) -> str:
    """Above which fraction the GPU memory is nearly full."""
    return threshold(model, AlertName.GPU_MEMORY_HIGH, _GPU_MEMORY_LIMIT)


def gpu_memory_ratio(model: ModelSettings, stack: StackSettings) -> str:
    """The used fraction of each GPU's memory.

    DCGM's exporter names the pod by `pod`, or by `exported_pod` where Prometheus does not honour its labels.
    """
    pods = f'pod=~"{pod_pattern(model)}"'
    ratios = []
    for prefix in ("", "exported_"):
        labels = {f"{prefix}namespace": stack.namespace}
        used, free = (
            picked(f"DCGM_FI_DEV_FB_{part}", labels, f"{prefix}{pods}") for part in ("USED", "FREE")
        )
        ratios.append(f"{used} / ({used} + {free} > 0)")
    return f"({ratios[0]} or {ratios[1]})"


def _gpu_memory(model: ModelSettings, stack: StackSettings) -> Alert:
    limit = gpu_memory_limit(model)
    return Alert(
        name=AlertName.GPU_MEMORY_HIGH,
        severity=Severity.TICKET,
        expression=f"{gpu_memory_ratio(model, stack)} > {limit}",
        pending="10m",
        summary=f"{model.name} has nearly filled its GPU memory",
        description=(
            "{{ $value | humanizePercentage }} of the memory of GPU {{ $labels.gpu }} is used; "
            f"the limit is {limit}."
        ),
    )


def pod_pattern(model: ModelSettings) -> str:
    """What the names of the model's pods look like, and those of `<model>-<more>` do not."""
    return f"{model.name}-[a-z0-9]+-[a-z0-9]{{5}}"
