"""The dashboards: what each panel queries and draws, and that a release does not change them."""

import re
from decimal import Decimal

import pytest

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series, slo
from components.monitoring.alerts.model import alert_group
from components.monitoring.recording_rules import objectives, recording_groups, serving_metrics
from components.runtimes.metrics import Histogram
from components.runtimes.table import Runtime
from components.settings.quantities import seconds
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, AlertOverride
from tests.support.dashboards import (
    RATED,
    UNITS,
    a_stage,
    asking,
    changed,
    dashboard,
    drawn,
    files,
    panels,
    parsed,
    queries,
    steps,
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    return a_stage(tmp_path_factory.mktemp("project"))


EVERY = pytest.mark.parametrize("runtime", [*Runtime], ids=str)


@EVERY
def test_every_panel_says_what_it_shows(stack: StackSettings, runtime: Runtime) -> None:
    for found in files(changed(stack, runtime=runtime)).values():
        for panel in panels(found).values():
            assert panel["title"]
            assert panel["description"].endswith(".")
        for panel in asking(found):
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
            assert panel["targets"]
            assert [t["refId"] for t in panel["targets"]] == list("ABCDEFGH"[: len(panel["targets"])])
            assert all(target["legendFormat"] for target in panel["targets"])
        assert len(panels(found)) == len([p for p in found["panels"] if p["type"] != "row"])


@EVERY
def test_every_query_is_promql(stack: StackSettings, runtime: Runtime) -> None:
    for found in files(changed(stack, runtime=runtime)).values():
        for query in [*queries(found), *(a["expr"] for a in found["annotations"]["list"])]:
            parsed(query)


@EVERY
def test_raw_counters_are_rated_over_grafanas_interval(stack: StackSettings, runtime: Runtime) -> None:
    for found in files(changed(stack, runtime=runtime)).values():
        for query in queries(found):
            rest = RATED.sub("", query)
            assert "_total" not in rest
            assert not re.search(r"\b(rate|irate|increase)\(", rest)


@EVERY
def test_a_panel_asks_only_for_what_is_recorded(stack: StackSettings, runtime: Runtime) -> None:
    small = changed(stack, runtime=runtime)
    model = small.models[0]
    recorded = {r["record"] for group in recording_groups(StagedModel(model, small)) for r in group["rules"]}
    asked = set(re.findall(r"\b(model(?:_version)?:\w+:\w+)", "\n".join(queries(dashboard(small)))))
    assert asked <= recorded
    assert recorded - asked <= {
        series.SLO_REQUESTS,
        series.SLO_ERRORS,
        series.SLO_REQUESTS_COUNT,
        series.SLO_ERRORS_COUNT,
        series.SLO_OBJECTIVE,
    }


@EVERY
def test_what_the_runtime_does_not_measure_has_no_panel(stack: StackSettings, runtime: Runtime) -> None:
    small = changed(stack, runtime=runtime)
    metrics, found = serving_metrics(small.models[0]), panels(dashboard(small))
    assert ("Errors" in found) is (metrics.errors is not None)
    assert ("Pending requests per replica" in found) is (metrics.load is not None)
    assert ("Availability budget left" in found) is (metrics.errors is not None)
    assert ("Latency burn rate" in found) is isinstance(metrics.latency, Histogram)


@EVERY
def test_lines_are_the_numbers_of_the_alerts(stack: StackSettings, runtime: Runtime) -> None:
    small = changed(stack, runtime=runtime)
    model, found = small.models[0], panels(dashboard(small))
    rules = alert_group(StagedModel(model, small))["rules"]
    compared = {rule["alert"]: rule["expr"] for rule in rules if rule["alert"] in _LAST_NUMBER}
    assert drawn(found["GPU memory"]) == [last_number(compared["ModelGpuMemoryHigh"])]
    if serving_metrics(model).load is not None:
        assert drawn(found["Pending requests per replica"]) == [last_number(compared["ModelSaturated"])]
    for name, gauge in model.quality.items():
        (rule, _) = [rule for rule in rules if rule["labels"].get("gauge") == name]
        assert drawn(found[name]) == [last_number(rule["expr"])]
        (target,) = found[name]["targets"]
        assert rule["expr"].startswith(f"{target['expr']} ")
        bad_below = f"< {gauge.threshold}" in rule["expr"]
        colors = [step["color"] for step in found[name]["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert colors == (["red", "green"] if bad_below else ["green", "red"])


_LAST_NUMBER = {"ModelGpuMemoryHigh", "ModelSaturated"}


def last_number(expression: str) -> Decimal:
    return Decimal(expression.rsplit(maxsplit=1)[-1])


def test_a_changed_threshold_moves_the_line_and_the_alert(stack: StackSettings) -> None:
    small = changed(stack, alerts={AlertName.SATURATED: AlertOverride(threshold="7.5")})
    assert drawn(panels(dashboard(small))["Pending requests per replica"]) == [Decimal("7.5")]
    assert alert_group(StagedModel(small.models[0], small))["rules"]


def test_objectives_are_drawn_with_the_factors_of_the_alerts(stack: StackSettings) -> None:
    small = changed(stack)
    model, found = small.models[0], panels(dashboard(small))
    for objective, promised in objectives(model).items():
        title = objective.value.capitalize()
        burn = found[f"{title} burn rate"]
        assert drawn(burn) == sorted(window.factor for window in slo.WINDOWS)
        windows = [re.search(r'window="(\w+)"', t["expr"]) for t in burn["targets"]]
        assert [w[1] for w in windows if w] == ["5m", "1h", "6h", "1d", "3d"]
        assert all(t["expr"].endswith(f"/ {slo.plain(slo.budget(promised))}") for t in burn["targets"])
        assert steps(found[f"{title} over 30 days"]) == [Decimal(promised) / 100]
        assert steps(found[f"{title} budget left"]) == [0, Decimal("0.1")]
    assert drawn(found["Errors"]) == [Decimal("0.0144")]
    assert model.slo.latency is not None
    assert drawn(found["Duration"]) == [seconds(model.slo.latency.threshold)]


def test_without_objectives_nothing_is_drawn_of_them(stack: StackSettings) -> None:
    found = dashboard(stack.model_copy(update={"models": stack.models[2:3]}))
    assert drawn(panels(found)["Errors"]) == drawn(panels(found)["Duration"]) == []
    titles = [panel["title"] for panel in found["panels"] if panel["type"] == "row"]
    assert titles == ["Traffic", "Replicas and versions", "Resources", "Alerts"]
    assert "GPU memory" not in panels(found)


def test_a_panel_shows_throttling_only_under_a_limit(stack: StackSettings) -> None:
    resources = stack.models[0].resources.model_copy(update={"limits": {"memory": "4Gi"}})
    found = panels(dashboard(changed(stack, resources=resources)))
    assert "CPU throttling" not in found
    assert [t["legendFormat"] for t in found["CPU"]["targets"]] == ["{{pod}}", "request"]
    assert [t["legendFormat"] for t in found["Memory"]["targets"]] == ["{{pod}}", "request", "limit"]


@EVERY
def test_panels_are_numbered_in_order_and_do_not_overlap(stack: StackSettings, runtime: Runtime) -> None:
    for found in files(changed(stack, runtime=runtime)).values():
        assert [panel["id"] for panel in found["panels"]] == [*range(1, len(found["panels"]) + 1)]
        taken: set[tuple[int, int]] = set()
        for panel in found["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken
            assert max(x for x, _ in cells) < 24
            taken |= cells
