"""Refuses what cannot be watched: objectives without data, or that never fire, and thresholds of alerts without one."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.model_files import LoadedModel
from components.loading.validation import problem_at
from components.monitoring import slo
from components.monitoring.recording_rules import latency_histogram, serving_metrics
from components.monitoring.slo import plain
from components.runtimes.metrics import Histogram
from components.settings.model import ModelDefinition
from components.settings.quantities import seconds
from components.settings.watching import WITH_THRESHOLD, AlertName

_LATENCY: KeyPath = ("slo", "latency")
_NO_METRICS = "the server has no metrics (metrics.enabled: false)"


@dataclass(frozen=True, kw_only=True)
class _Refused:
    """An invalid setting, and what to do about it."""

    path: KeyPath
    reason: str
    fix: str


def watching_problems(loaded: LoadedModel) -> list[Problem]:
    """Everything in a model's settings that cannot be watched."""
    model = loaded.settings
    found = (
        _never_firing(model),
        _unmeasured_latency(model),
        _thresholds(model),
        _without_effect(model),
        _without_metrics(model),
    )
    return [
        problem_at(
            each.path,
            each.reason,
            each.fix,
            origins=loaded.origins,
            file=loaded.file,
            prefix=loaded.prefix,
        )
        for each in chain.from_iterable(found)
    ]


def _without_effect(model: ModelDefinition) -> Iterator[_Refused]:
    runtime = f"the runtime {model.runtime.value}"
    unlabelled = f"the metrics of {runtime} have no label with the model's name"
    without_histogram = f"{runtime} has no latency histogram"
    if not model.metrics.enabled:
        unlabelled = without_histogram = _NO_METRICS
    if model.metrics.served_model is not None and serving_metrics(model).model_label is None:
        yield _Refused(
            path=("metrics", "servedModel"), reason=f"has no effect: {unlabelled}", fix="remove it"
        )
    if model.metrics.latency_buckets is not None and latency_histogram(model) is None:
        yield _Refused(
            path=("metrics", "latencyBuckets"), reason=f"has no effect: {without_histogram}", fix="remove it"
        )


def _without_metrics(model: ModelDefinition) -> Iterator[_Refused]:
    """What is measured by metrics that the server does not have."""
    if model.metrics.enabled:
        return
    if model.slo.availability is not None:
        yield _Refused(
            path=("slo", "availability"),
            reason=f"{_NO_METRICS}, so failed requests cannot be counted",
            fix="remove it",
        )
    for name, gauge in sorted(model.quality.items()):
        if not gauge.labels:
            yield _Refused(
                path=("quality", name),
                reason=f"{_NO_METRICS}, and a gauge without labels is looked for there",
                fix="add labels: of the job that exposes it",
            )


def _thresholds(model: ModelDefinition) -> Iterator[_Refused]:
    for alert, override in sorted(model.alerts.items()):
        if override.threshold is not None and alert not in WITH_THRESHOLD:
            able = " and ".join(sorted(name.value for name in WITH_THRESHOLD))
            yield _Refused(
                path=("alerts", alert.value, "threshold"),
                reason=f"{alert.value} has no threshold; only {able} have",
                fix="remove threshold",
            )
        elif alert is AlertName.GPU_MEMORY_HIGH and Decimal(override.threshold or 0) >= 1:
            yield _Refused(
                path=("alerts", alert.value, "threshold"),
                reason="can never fire: it is a fraction of the memory, and no fraction is above 1",
                fix='write it like "0.98"',
            )


def _never_firing(model: ModelDefinition) -> Iterator[_Refused]:
    promised: dict[KeyPath, str | None] = {("slo", "availability"): model.slo.availability}
    if model.slo.latency is not None:
        promised[*_LATENCY, "objective"] = model.slo.latency.objective
    for path, objective in promised.items():
        if objective is not None and (refusal := slo.refusal(objective)) is not None:
            yield _Refused(path=path, reason=refusal[0], fix=refusal[1])


def _unmeasured_latency(model: ModelDefinition) -> Iterator[_Refused]:
    latency, runtime = model.slo.latency, model.runtime.value
    if latency is None:
        return
    if not model.metrics.enabled:
        reason = f"{_NO_METRICS}, so slow requests cannot be counted"
        yield _Refused(path=_LATENCY, reason=reason, fix="remove it")
        return
    histogram = latency_histogram(model)
    if histogram is None:
        yield _Refused(
            path=_LATENCY,
            reason=f"the runtime {runtime} has no latency histogram, so slow requests cannot be counted",
            fix="remove slo.latency, or serve with a runtime that has one",
        )
        return
    edges = bucket_edges(model, histogram)
    wanted = seconds(latency.threshold)
    if not edges:
        yield _Refused(
            path=_LATENCY,
            reason=f"the bucket boundaries of the runtime {runtime} are not round numbers, so they are not known",
            fix="write them under metrics.latencyBuckets as /metrics shows them, and a threshold that is one of them",
        )
    elif wanted not in edges:
        yield _Refused(
            path=(*_LATENCY, "threshold"),
            reason="is not a bucket boundary of the latency histogram, so the requests within it are not counted",
            fix=_nearest(wanted, edges),
        )


def bucket_edges(model: ModelDefinition, histogram: Histogram) -> list[Decimal]:
    """The latency histogram's finite bucket boundaries in seconds, ascending: the model file's, else the runtime's."""
    own = model.metrics.latency_buckets
    if own is not None:
        return sorted(seconds(edge) for edge in own)
    return sorted(Decimal(edge) * histogram.unit.seconds for edge in histogram.edges.split())


def _nearest(wanted: Decimal, edges: list[Decimal]) -> str:
    below = [edge for edge in edges if edge < wanted][-1:]
    above = [edge for edge in edges if edge > wanted][:1]
    near = " or ".join(f"{plain(edge)}s" for edge in (*below, *above))
    return f"write {near}, or list the server's own bucket boundaries under metrics.latencyBuckets"
