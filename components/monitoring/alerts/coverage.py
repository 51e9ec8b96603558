"""Which alerts a model has, and why it lacks the others. Pure functions."""

from dataclasses import dataclass

from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.model import alerts
from components.monitoring.alerts.pods import GPU
from components.monitoring.recording_rules import latency_histogram, serving_metrics
from components.settings.model import ModelSettings
from components.settings.watching import AlertName, QualityKind

_KINDS = {
    AlertName.DRIFT: QualityKind.DRIFT,
    AlertName.DATA_QUALITY: QualityKind.DATA_QUALITY,
    AlertName.STALE: QualityKind.STALENESS,
}
# These are about what is scraped from the server, whatever its runtime measures.
_SCRAPED = frozenset(
    {AlertName.ABSENT, AlertName.NO_TRAFFIC, AlertName.TARGET_DOWN, AlertName.VERSION_MISMATCH}
)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An alert that a model does not have.

    `by_runtime` means that the serving runtime does not support it; otherwise the files decide so.
    """

    alert: AlertName
    reason: str
    by_runtime: bool = False


def left_out(staged: StagedModel) -> list[LeftOut]:
    """Every alert that the model does not have, in the order of their names in AlertName.

    Raises:
        LookupError: nothing builds an alert, or it is left out and no reason is known here.
    """
    built, running = ({alert.name for alert in alerts(one)} for one in (staged, staged.running))
    found = []
    for name in AlertName:
        override = staged.model.alerts.get(name)
        if name not in running:
            found.append(_unbuilt(name, staged.model))
        elif name not in built:
            found.append(LeftOut(alert=name, reason="the model has no replicas in this stage"))
        elif override is not None and not override.enabled:
            found.append(LeftOut(alert=name, reason="switched off in the files"))
    return found


def _unbuilt(name: AlertName, model: ModelSettings) -> LeftOut:
    metrics, gauges = serving_metrics(model), {gauge.kind for gauge in model.quality.values()}
    unmeasured = {
        AlertName.AVAILABILITY_BUDGET_BURN: (metrics.errors is None, "does not count failed requests"),
        AlertName.LATENCY_BUDGET_BURN: (latency_histogram(model) is None, "has no latency histogram"),
        AlertName.LOAD_FAILED: (metrics.loading is None, "does not show whether the model is loaded"),
        AlertName.SATURATED: (metrics.load is None, "does not show requests in progress or waiting"),
    }
    unwanted = {
        AlertName.AVAILABILITY_BUDGET_BURN: (model.slo.availability is None, "has no such objective"),
        AlertName.LATENCY_BUDGET_BURN: (model.slo.latency is None, "has no such objective"),
        AlertName.GPU_MEMORY_HIGH: (GPU not in model.resources.limits, f"does not request {GPU}"),
        AlertName.QUALITY_GAUGE_ABSENT: (not gauges, "names no quality gauge"),
        **{alert: (kind not in gauges, f"names no {kind.value} gauge") for alert, kind in _KINDS.items()},
    }
    applies, what = unmeasured.get(name, (name in _SCRAPED, ""))
    if applies and not model.metrics.enabled:
        return LeftOut(alert=name, reason="the server has no metrics: metrics.enabled is false")
    if applies and what:
        return LeftOut(alert=name, reason=f"the runtime {model.runtime.value} {what}", by_runtime=True)
    applies, what = unwanted.get(name, (False, ""))
    if applies:
        return LeftOut(alert=name, reason=f"the model {what}")
    raise LookupError(f"{name.value} is built for no model, and nothing here says why")
