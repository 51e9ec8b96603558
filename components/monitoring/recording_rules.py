"""Recording rules: a runtime's metrics as the canonical series, and the error ratios of its objectives. Pure functions.

A grouped ratio has no result for a model without an error series, and 0/0 is NaN, which breaks every sum over time that
includes it. So an absent error counts as `0 * requests`, and a ratio exists only where there were requests.
"""

import re
from decimal import Decimal
from typing import TypedDict

from components.kubernetes import naming
from components.kubernetes.staged_model import StagedModel
from components.monitoring import series, slo
from components.monitoring.series import picked
from components.monitoring.slo import Objective, plain
from components.runtimes.metrics import NOTHING_MEASURED, Histogram, Mean, Selected, ServingMetrics
from components.runtimes.table import RUNTIMES
from components.settings.model import ModelDefinition, ModelSettings
from components.settings.quantities import seconds

# Long enough for two scrapes a minute, short enough for a page within minutes.
INTERVAL_SECONDS = 30
INTERVAL = f"{INTERVAL_SECONDS}s"
# Well below the 5 minutes after which Prometheus ignores a sample: alerts use what this group records.
COUNT_INTERVAL = "2m"
COUNT_SECONDS = 120
# Between these powers of ten Go writes numbers without an exponent.
_LOWEST_PLAIN, _HIGHEST_PLAIN = -4, 6
# Prometheus' own names of the pod's labels.
NAME_LABEL = "app_kubernetes_io_name"
VERSION_LABEL = "app_kubernetes_io_version"


# A rule of Prometheus: a recording rule has `record`, an alert has `alert`, `for` and `annotations`.
Rule = TypedDict(
    "Rule",
    {
        "record": str,
        "alert": str,
        "expr": str,
        "for": str,
        "labels": dict[str, str],
        "annotations": dict[str, str],
    },
    total=False,
)


class Group(TypedDict):
    """A group of rules, evaluated one after the other at its interval."""

    name: str
    interval: str
    rules: list[Rule]


def serving_metrics(model: ModelDefinition) -> ServingMetrics:
    """What the model's runtime measures; nothing where the server has no metrics."""
    return RUNTIMES[model.runtime].metrics if model.metrics.enabled else NOTHING_MEASURED


def target_labels(staged: StagedModel) -> dict[str, str]:
    """The labels of every series scraped from the model's pods."""
    return {"namespace": staged.namespace, NAME_LABEL: staged.name}


def model_labels(staged: StagedModel) -> dict[str, str]:
    """The labels of every canonical series of the model."""
    return {"namespace": staged.namespace, "model": staged.name}


def latency_histogram(model: ModelDefinition) -> Histogram | None:
    """The runtime's latency histogram; None where it has none."""
    latency = serving_metrics(model).latency
    return latency if isinstance(latency, Histogram) else None


def recording_groups(staged: StagedModel) -> list[Group]:
    """The groups of recording rules of one model."""
    name = f"{staged.name}.{staged.namespace}"
    quick = [*_version_rules(staged), _desired_version(staged)]
    slow: list[Rule] = []
    for objective, promised in objectives(staged.model).items():
        quick += _quick_slo_rules(staged, objective, promised)
        slow += _slow_slo_rules(staged, objective, promised)
    groups = [Group(name=f"{name}.series", interval=INTERVAL, rules=quick)]
    if slow:
        groups.append(Group(name=f"{name}.budget", interval=COUNT_INTERVAL, rules=slow))
    return groups


def objectives(model: ModelSettings) -> dict[Objective, str]:
    """The objectives that can be measured with this runtime, in percent."""
    found: dict[Objective, str] = {}
    if model.slo.availability is not None and serving_metrics(model).errors is not None:
        found[Objective.AVAILABILITY] = model.slo.availability
    if model.slo.latency is not None and latency_histogram(model) is not None:
        found[Objective.LATENCY] = model.slo.latency.objective
    return found


def _version_rules(staged: StagedModel) -> list[Rule]:
    if not staged.model.metrics.enabled:
        return []
    metrics = serving_metrics(staged.model)
    requests = _by_version(staged, metrics.requests)
    rules = [_record(staged, series.REQUESTS, requests)]
    if metrics.errors is not None:
        errors = _by_version(staged, metrics.errors)
        rules.append(_record(staged, series.ERRORS, f"{errors}\nor\n0 * {requests}"))
    rules += _duration_rules(staged)
    if metrics.load is not None:
        served = _served(staged, labelled=metrics.load.labelled)
        load = picked(metrics.load.name, target_labels(staged), served)
        rules.append(_record(staged, series.LOAD, f"sum by (namespace, version) ({_versioned(load)})"))
    up = picked("up", target_labels(staged))
    rules.append(_record(staged, series.REPLICAS_UP, f"sum by (namespace, version) ({_versioned(up)})"))
    return rules


def _duration_rules(staged: StagedModel) -> list[Rule]:
    latency = serving_metrics(staged.model).latency
    labels = target_labels(staged)
    if isinstance(latency, Histogram):
        served = _served(staged, labelled=latency.labelled)
        bucket = picked(f"{latency.name}_bucket", labels, latency.matchers, served)
        rates = f"sum by (namespace, version, le) ({_versioned(f'rate({bucket}[5m])')})"
        return [
            _record(
                staged,
                series.DURATION_QUANTILE,
                _scaled(f"histogram_quantile({quantile}, {rates})", latency.unit.seconds),
                quantile=quantile,
            )
            for quantile in series.QUANTILES
        ]
    if isinstance(latency, Mean):
        total, count = (
            _by_version(staged, (Selected(name=name),)) for name in (latency.total, latency.count)
        )
        expression = _scaled(f"({total}\n/\n({count} > 0))", latency.unit.seconds)
        return [_record(staged, series.DURATION_MEAN, expression)]
    return []


def _desired_version(staged: StagedModel) -> Rule:
    """The one rule that a release changes."""
    return _record(
        staged,
        series.DESIRED_VERSION,
        "vector(1)",
        namespace=staged.namespace,
        version=naming.version_label(staged.model.version),
    )


def _quick_slo_rules(staged: StagedModel, objective: Objective, promised: str) -> list[Rule]:
    requests, errors = _requests_and_errors(staged, objective)
    labels = {**model_labels(staged), "slo": objective.value}
    total, bad = picked(series.SLO_REQUESTS, labels), picked(series.SLO_ERRORS, labels)
    share = plain(Decimal(promised) / 100)
    rules = [
        _record(staged, series.SLO_REQUESTS, requests, slo=objective.value),
        _record(staged, series.SLO_ERRORS, errors, slo=objective.value),
        _record(
            staged,
            series.SLO_OBJECTIVE,
            f"vector({share})",
            namespace=staged.namespace,
            slo=objective.value,
        ),
        _record(staged, series.SLO_ERROR_RATIO, f"{bad}\n/\n({total} > 0)", slo=objective.value, window="5m"),
    ]
    return [*rules, *(_ratio(staged, objective, window, bad, total) for window in slo.QUICK_WINDOWS)]


def _slow_slo_rules(staged: StagedModel, objective: Objective, promised: str) -> list[Rule]:
    """A count every 2 minutes, so that the sums over days count each request once on average, and stay cheap."""
    labels = {**model_labels(staged), "slo": objective.value}
    rules = [
        _record(staged, count, f"{COUNT_SECONDS} * {picked(rate, labels)}", slo=objective.value)
        for count, rate in (
            (series.SLO_REQUESTS_COUNT, series.SLO_REQUESTS),
            (series.SLO_ERRORS_COUNT, series.SLO_ERRORS),
        )
    ]
    total, bad = picked(series.SLO_REQUESTS_COUNT, labels), picked(series.SLO_ERRORS_COUNT, labels)
    rules += [_ratio(staged, objective, window, bad, total) for window in slo.SLOW_WINDOWS]
    ratio = picked(series.SLO_ERROR_RATIO, {**labels, "window": slo.SLOW_WINDOWS[-1]})
    remaining = f"1 - sum without (window) ({ratio}) / {plain(slo.budget(promised))}"
    return [*rules, _record(staged, series.SLO_BUDGET_REMAINING, remaining, slo=objective.value)]


def _ratio(staged: StagedModel, objective: Objective, window: str, bad: str, total: str) -> Rule:
    """The bad requests of a window among all its requests: counts divided, not ratios averaged."""
    expression = f"sum_over_time({bad}[{window}])\n/\n(sum_over_time({total}[{window}]) > 0)"
    return _record(staged, series.SLO_ERROR_RATIO, expression, slo=objective.value, window=window)


def _requests_and_errors(staged: StagedModel, objective: Objective) -> tuple[str, str]:
    labels = model_labels(staged)
    if objective is Objective.AVAILABILITY:
        return (
            f"sum by (namespace) ({picked(series.REQUESTS, labels)})",
            f"sum by (namespace) ({picked(series.ERRORS, labels)})",
        )
    histogram, latency = latency_histogram(staged.model), staged.model.slo.latency
    assert histogram is not None
    assert latency is not None
    targets = target_labels(staged)
    more = (histogram.matchers, _served(staged, labelled=histogram.labelled))
    edge = bucket_edge(seconds(latency.threshold) / histogram.unit.seconds)
    count = picked(f"{histogram.name}_count", targets, *more)
    within = picked(f"{histogram.name}_bucket", targets, *more, edge)
    all_requests = f"sum by (namespace) (rate({count}[5m]))"
    # Targets are not scraped at the same moment: the difference may be slightly below zero.
    return all_requests, f"clamp_min({all_requests}\n-\nsum by (namespace) (rate({within}[5m])), 0)"


def bucket_edge(edge: Decimal) -> str:
    """The matcher of a bucket boundary in every format: as written, with `.0` (Prometheus 3), and with Go's exponent.

    Go, and so Prometheus, writes 2000000 as 2e+06 and 0.00001 as 1e-05.
    """
    text = plain(edge)
    forms = [text] if "." in text else [text, f"{text}.0"]
    exponent = edge.adjusted()
    if exponent < _LOWEST_PLAIN or exponent >= _HIGHEST_PLAIN:
        forms.append(f"{plain(edge.scaleb(-exponent))}e{exponent:+03}")
    if len(forms) == 1:
        return f'le="{text}"'
    escaped = "|".join(re.escape(form).replace("\\", "\\\\") for form in forms)
    return f'le=~"{escaped}"'


def _by_version(staged: StagedModel, counters: tuple[Selected, ...]) -> str:
    """Requests per second by version, summed over counters of which some may not exist yet."""
    rates = []
    for counter in counters:
        selected = picked(
            counter.name,
            target_labels(staged),
            counter.matchers,
            _served(staged, labelled=counter.labelled),
        )
        rate = _versioned(f"rate({selected}[5m])")
        rates.append(
            rate if len(counters) == 1 else f'label_replace({rate}, "counter", "{counter.name}", "", "")'
        )
    return f"sum by (namespace, version) ({' or '.join(rates)})"


def _versioned(expression: str) -> str:
    """The version of the pod that was scraped.

    The server's own version label is summed away first: a server may have several, and two series of one pod that
    differ only in it would become duplicates, which Prometheus refuses.
    """
    return f'label_replace(sum without (version) ({expression}), "version", "$1", "{VERSION_LABEL}", "(.*)")'


def _served(staged: StagedModel, *, labelled: bool) -> str:
    label, name = serving_metrics(staged.model).model_label, staged.model.metrics.served_model
    return f'{label}="{series.escaped(name)}"' if labelled and label and name else ""


def _scaled(expression: str, unit: Decimal) -> str:
    return expression if unit == 1 else f"{expression} * {plain(unit)}"


def _record(staged: StagedModel, name: str, expression: str, **labels: str) -> Rule:
    return Rule(record=name, expr=expression, labels={"model": staged.name, **labels})
