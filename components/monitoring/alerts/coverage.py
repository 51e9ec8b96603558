"""Which alerts a model has, and why it has no others. Pure functions."""

from dataclasses import dataclass

from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.model import alerts
from components.monitoring.recording_rules import latency_histogram, serving_metrics
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, QualityKind

_KINDS = {
    AlertName.DRIFT: QualityKind.DRIFT,
    AlertName.DATA_QUALITY: QualityKind.DATA_QUALITY,
    AlertName.STALE: QualityKind.STALENESS,
}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An alert that a model does not have.

    `by_runtime` tells that the serving runtime cannot give it; otherwise it is the files' own choice.
    """

    alert: AlertName
    reason: str
    by_runtime: bool = False


def left_out(staged: StagedModel) -> list[LeftOut]:
    """Every alert that the model does not have, in the order of their names in AlertName.

    Raises:
        LookupError: an alert is built by nothing, or left out without a reason that is known here.
    """
    built = {alert.name for alert in alerts(staged)}
    found = []
    for name in AlertName:
        override = staged.model.alerts.get(name)
        if name not in built:
            found.append(_unbuilt(name, staged.model))
        elif override is not None and not override.enabled:
            found.append(LeftOut(alert=name, reason="switched off in the files"))
    return found


def _unbuilt(name: AlertName, model: ModelSettings) -> LeftOut:
    metrics, runtime = serving_metrics(model), f"the runtime {model.runtime.value}"
    missing = {
        AlertName.AVAILABILITY_BUDGET_BURN: (metrics.errors is None, "counts no failed requests"),
        AlertName.LATENCY_BUDGET_BURN: (latency_histogram(model) is None, "has no latency histogram"),
        AlertName.LOAD_FAILED: (metrics.loading is None, "does not show whether the model is loaded"),
        AlertName.SATURATED: (metrics.load is None, "shows no requests at work or waiting"),
    }
    unmeasured, what = missing.get(name, (False, ""))
    if unmeasured:
        return LeftOut(alert=name, reason=f"{runtime} {what}", by_runtime=True)
    if name is AlertName.QUALITY_GAUGE_ABSENT:
        return LeftOut(alert=name, reason="the model names no quality gauge")
    if name in _KINDS:
        return LeftOut(alert=name, reason=f"the model names no {_KINDS[name].value} gauge")
    if name in {AlertName.AVAILABILITY_BUDGET_BURN, AlertName.LATENCY_BUDGET_BURN}:
        return LeftOut(alert=name, reason="the model has no such objective")
    if name is AlertName.GPU_MEMORY_HIGH and model.replicas > 0:
        return LeftOut(alert=name, reason="the model asks for no nvidia.com/gpu")
    if model.replicas == 0:
        return LeftOut(alert=name, reason="the model has no replicas in this stage")
    raise LookupError(f"{name.value} is built for no model, and nothing here says why")
