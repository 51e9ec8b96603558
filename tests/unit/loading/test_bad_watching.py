"""Each mistake in the monitoring settings results in one clear message that names file, field, reason and fix."""

from pathlib import Path

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from tests.support.projects import GOOD_STACK, MODEL, problems, project

WATCHED = [
    ("objective of 100", 'slo: {availability: "100"}', "slo.availability", "between 0 and 100", "99.9"),
    ("objective of 0", 'slo: {availability: "0"}', "slo.availability", "between 0 and 100", "99.9"),
    ("objective that never fires", 'slo: {availability: "93"}', "slo.availability", "never fire", "93.06"),
    (
        "latency objective that never fires",
        'slo: {latency: {objective: "90", threshold: 0.5s}}',
        "slo.latency.objective",
        "never fire",
        "93.06",
    ),
    (
        "latency without a histogram",
        'runtime: triton\nslo: {latency: {objective: "99", threshold: 0.5s}}',
        "slo.latency",
        "triton has no latency histogram",
        "remove slo.latency",
    ),
    (
        "threshold off the edges",
        'slo: {latency: {objective: "99", threshold: 0.3s}}',
        "slo.latency.threshold",
        "is not a bucket boundary",
        "write 0.25s or 0.5s",
    ),
    (
        "threshold above every edge",
        'slo: {latency: {objective: "99", threshold: 20s}}',
        "slo.latency.threshold",
        "is not a bucket boundary",
        "write 10s",
    ),
    (
        "unknown boundaries",
        'runtime: tensorflow-serving\nslo: {latency: {objective: "99", threshold: 0.5s}}',
        "slo.latency",
        "not round numbers",
        "metrics.latencyBuckets",
    ),
    ("unknown runtime", "runtime: torch-serve", "runtime", "not one of the known", "write torchserve"),
    (
        "drift without direction",
        'quality: {d: {metric: drift, kind: drift, threshold: "0.1"}}',
        "quality.d",
        "needs a direction",
        "add direction",
    ),
    (
        "staleness with direction",
        'quality: {d: {metric: t, kind: staleness, threshold: "60", direction: above}}',
        "quality.d",
        "has no direction",
        "remove direction",
    ),
    (
        "metric name",
        'quality: {d: {metric: "a b", kind: drift, threshold: "1", direction: above}}',
        "quality.d.metric",
        "name of a Prometheus metric",
        "/metrics",
    ),
    (
        "number without quotes",
        "quality: {d: {metric: a, kind: drift, threshold: 0.1, direction: above}}",
        "quality.d.threshold",
        "must be a text",
        'quote it: "0.1"',
    ),
    (
        "unknown alert",
        "alerts: {ModelAbsen: {enabled: false}}",
        "ModelAbsen",
        "not one of",
        "write ModelAbsent",
    ),
    (
        "threshold of an alert without one",
        'alerts: {ModelAbsent: {threshold: "1"}}',
        "alerts.ModelAbsent.threshold",
        "ModelAbsent has no threshold",
        "remove threshold",
    ),
    (
        "negative threshold",
        'alerts: {ModelSaturated: {threshold: "-5"}}',
        "alerts.ModelSaturated.threshold",
        "above zero",
        "0.05",
    ),
    (
        "fraction above 1",
        'alerts: {ModelGpuMemoryHigh: {threshold: "98"}}',
        "alerts.ModelGpuMemoryHigh.threshold",
        "can never fire",
        "0.98",
    ),
    (
        "served model without a label",
        "metrics: {servedModel: m}",
        "metrics.servedModel",
        "has no effect",
        "remove it",
    ),
    (
        "buckets without a histogram",
        "runtime: triton\nmetrics: {latencyBuckets: [0.5s]}",
        "metrics.latencyBuckets",
        "has no effect",
        "remove it",
    ),
    (
        "severity",
        "alerts: {ModelAbsent: {severity: high}}",
        "severity",
        "not one of the known",
        "page, ticket",
    ),
]


@pytest.mark.parametrize(
    ("text", "field", "reason", "fix"), [w[1:] for w in WATCHED], ids=[w[0] for w in WATCHED]
)
def test_what_cannot_be_watched(tmp_path: Path, text: str, field: str, reason: str, fix: str) -> None:
    (problem,) = problems(project(tmp_path, a=f"{MODEL}{text}\n"))
    assert problem.file == "models/a.yaml"
    assert problem.field.endswith(field)
    assert reason in problem.reason
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{delivery: operator}", "needs selectorLabels"),
        ("{stack: {install: true}}", "needs delivery: operator"),
        ("{namespace: w, delivery: operator, stack: {install: true, retention: 7d}}", "below the 30 days"),
        ("{namespace: w, delivery: operator, stack: {install: true, storage: {size: 100m}}}", "below 1Gi"),
        ("{delivery: operator, stack: {install: true}}", "needs its own namespace"),
        ("{stack: {retention: 40d}}", "retention has no effect without install: true"),
        ("{selectorLabels: {}}", "at least 1"),
        ("{delivery: mail}", "not one of the known values"),
        ("{grafanaUrl: grafana}", "should match pattern"),
    ],
)
def test_monitoring_of_a_stage(tmp_path: Path, text: str, reason: str) -> None:
    (problem,) = problems(project(tmp_path, f"{GOOD_STACK}  ml-deployments:monitoring: {text}\n"))
    assert problem.file == "Pulumi.test.yaml"
    assert problem.line == GOOD_STACK.count("\n") + 1
    assert reason in problem.reason


def test_rules_larger_than_the_operator_accepts(tmp_path: Path) -> None:
    gauges = "".join(
        f'  g{number}: {{metric: m{number}, kind: drift, threshold: "1", direction: above}}\n'
        for number in range(560)
    )
    operator = "  ml-deployments:monitoring: {delivery: operator, selectorLabels: {release: prometheus}}\n"
    text = f"{MODEL}quality:\n{gauges}"
    (problem,) = problems(project(tmp_path, GOOD_STACK + operator, a=text))
    assert "more than the 512 KiB that one PrometheusRule holds" in problem.reason
    assert problem.field.endswith("models.a")
    assert load_stack(Sources.of(project(tmp_path, GOOD_STACK, a=text)), "test").settings.models
