"""Alerts on what Kubernetes and the GPU exporter report about the model's pods. Pure functions."""

from collections.abc import Iterator

from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.alert import Alert, threshold
from components.monitoring.kube_state import by_container, containers, pod_pattern
from components.monitoring.series import picked
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, Severity

GPU = "nvidia.com/gpu"
_GPU_MEMORY_LIMIT = "0.95"


def pod_alerts(staged: StagedModel) -> Iterator[Alert]:
    """The alerts on the state of the pods in Kubernetes."""
    yield _crash_looping(staged)
    yield _out_of_memory_killed(staged)
    if GPU in staged.model.resources.limits:
        yield _gpu_memory(staged)


def _crash_looping(staged: StagedModel) -> Alert:
    waiting = containers(staged, "status_waiting_reason", reason="CrashLoopBackOff")
    return Alert(
        name=AlertName.CRASH_LOOPING,
        severity=Severity.TICKET,
        # The container runs between its crashes, which must not count as repaired.
        expression=f"{by_container(f'max_over_time({waiting}[5m])')} >= 1",
        pending="15m",
        summary=f"A replica of {staged.name} crashes again and again",
        description="{{ $labels.pod }} waits in CrashLoopBackOff (value {{ $value }}).",
    )


def _out_of_memory_killed(staged: StagedModel) -> Alert:
    killed = containers(staged, "status_last_terminated_reason", reason="OOMKilled")
    restarts = containers(staged, "status_restarts_total")
    return Alert(
        name=AlertName.OUT_OF_MEMORY_KILLED,
        severity=Severity.TICKET,
        expression=f"{by_container(f'increase({restarts}[15m])')} > 0\nand\n{by_container(killed)} == 1",
        pending="0s",
        summary=f"A replica of {staged.name} was killed for its memory",
        description=(
            "{{ $labels.pod }} restarted {{ $value | humanize }} times in 15 minutes, the last time because it "
            f"needed more than its limit of {staged.model.resources.limits['memory']}."
        ),
    )


def gpu_memory_limit(model: ModelSettings) -> str:
    """The fraction above which the GPU memory is nearly full."""
    return threshold(model, AlertName.GPU_MEMORY_HIGH, _GPU_MEMORY_LIMIT)


def gpu_memory_ratio(staged: StagedModel) -> str:
    """The used fraction of each GPU's memory.

    DCGM's exporter names the pod by `pod`, or by `exported_pod` where Prometheus does not honour its labels.
    """
    pods = f'pod=~"{pod_pattern(staged)}"'
    ratios = []
    for prefix in ("", "exported_"):
        labels = {f"{prefix}namespace": staged.namespace}
        used, free = (
            picked(f"DCGM_FI_DEV_FB_{part}", labels, f"{prefix}{pods}") for part in ("USED", "FREE")
        )
        ratios.append(f"{used} / ({used} + {free} > 0)")
    return f"({ratios[0]} or {ratios[1]})"


def _gpu_memory(staged: StagedModel) -> Alert:
    limit = gpu_memory_limit(staged.model)
    return Alert(
        name=AlertName.GPU_MEMORY_HIGH,
        severity=Severity.TICKET,
        expression=f"{gpu_memory_ratio(staged)} > {limit}",
        pending="10m",
        summary=f"{staged.name} has nearly filled its GPU memory",
        description=(
            "{{ $value | humanizePercentage }} of the memory of GPU {{ $labels.gpu }} is used; "
            f"the limit is {limit}."
        ),
    )
