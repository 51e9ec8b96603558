"""The dashboards: what each panel asks and draws, and that nothing of them follows a release."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from components import links, series, slo
from components.alerts import alert_group
from components.dashboards import dashboard_files
from components.grafana_sdk import JSONEncoder, models, units
from components.monitoring_settings import AlertName, AlertOverride, Monitoring, QualityGauge
from components.quantities import seconds
from components.recording_rules import objectives, recording_groups, serving_metrics
from components.runtimes import Runtime
from components.serving_metrics import Histogram
from components.settings import StackSettings
from components.stack_files import load_stack
from delivery.render import manifests
from tests.unit.projects import CHECKOUT, MODEL, project

FULL = (
    MODEL.replace("limits: {cpu", 'limits: {nvidia.com/gpu: "1", cpu')
    + """\
slo: {availability: "99.9", latency: {objective: "99", threshold: 0.5s}}
quality:
  distance: {metric: drift_distance, kind: drift, threshold: "0.2", direction: above}
  p-value: {metric: drift_p_value, labels: {job: drift}, kind: drift, threshold: "0.05", direction: below}
  trained: {metric: trained_at_seconds, kind: staleness, threshold: "604800"}
"""
)
STACK = """\
config:
  ml-deployments:namespace: ml-test
  ml-deployments:models:
    a: {version: "v1", replicas: 2}
    fleet: {version: "v1", replicas: 2}
    with-a-name-as-long-as-names-of-models-can-be-in-kubernetes-one: {version: "v1", replicas: 2}
    with-a-name-as-long-as-names-of-models-can-be-in-kubernetes-two: {version: "v1", replicas: 2}
"""
LONG = "with-a-name-as-long-as-names-of-models-can-be-in-kubernetes"
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
RATED = re.compile(r'(rate|increase)\(\w+\{(?:[^"}]|"[^"]*")*\}\[\$__rate_interval\]\)')


def a_project(folder: Path) -> Path:
    return project(folder, STACK, **{"a": FULL, "fleet": FULL, f"{LONG}-one": MODEL, f"{LONG}-two": MODEL})


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    return load_stack(a_project(tmp_path_factory.mktemp("project")), "test").settings


def changed(stack: StackSettings, **fields: Any) -> StackSettings:
    """The stage with its first model changed, and no other model."""
    return stack.model_copy(update={"models": (stack.models[0].model_copy(update=fields),)})


def files(stack: StackSettings) -> dict[str, dict[str, Any]]:
    return {file.uid: json.loads(file.text) for file in dashboard_files(stack)}


def dashboard(stack: StackSettings) -> dict[str, Any]:
    """The dashboard of the first model."""
    return files(stack)[links.dashboard_uid(stack.stage, stack.models[0].name)]


def panels(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {panel["title"]: panel for panel in found["panels"] if panel["type"] != "row"}


def asking(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels that ask Prometheus: all but texts."""
    return [panel for panel in found["panels"] if panel["type"] not in ("row", "text")]


def queries(found: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in asking(found) for target in panel["targets"]]


def drawn(panel: dict[str, Any]) -> list[Decimal]:
    """The thresholds that a panel draws as lines."""
    if panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "off":
        return []
    return steps(panel)


def steps(panel: dict[str, Any]) -> list[Decimal]:
    found = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert found[0]["value"] is None
    return [Decimal(str(step["value"])) for step in found[1:]]


def parsed(expression: str) -> promql_parser.Expr:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m").replace("$version", "v1"))


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
    recorded = {r["record"] for group in recording_groups(model, small.namespace) for r in group["rules"]}
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
    assert ("Pending requests a replica" in found) is (metrics.load is not None)
    assert ("Availability budget left" in found) is (metrics.errors is not None)
    assert ("Latency burn rate" in found) is isinstance(metrics.latency, Histogram)


@EVERY
def test_lines_are_the_numbers_of_the_alerts(stack: StackSettings, runtime: Runtime) -> None:
    small = changed(stack, runtime=runtime)
    model, found = small.models[0], panels(dashboard(small))
    rules = alert_group(model, small)["rules"]
    compared = {rule["alert"]: rule["expr"] for rule in rules if rule["alert"] in _LAST_NUMBER}
    assert drawn(found["GPU memory"]) == [last_number(compared["ModelGpuMemoryHigh"])]
    if serving_metrics(model).load is not None:
        assert drawn(found["Pending requests a replica"]) == [last_number(compared["ModelSaturated"])]
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
    assert drawn(panels(dashboard(small))["Pending requests a replica"]) == [Decimal("7.5")]
    assert alert_group(small.models[0], small)["rules"]


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


def test_identifiers_are_unique_and_as_long_as_grafana_takes(stack: StackSettings) -> None:
    found = list(dashboard_files(stack))
    assert len({file.uid for file in found}) == len({file.name for file in found}) == 5
    assert all(re.fullmatch(r"[-_a-zA-Z0-9]{8,40}", file.uid) for file in found)
    assert all(json.loads(file.text)["uid"] == file.uid for file in found)


def test_stages_and_models_with_dashes_share_no_identifier() -> None:
    assert links.dashboard_uid("eu", "west-ranker") != links.dashboard_uid("eu-west", "ranker")
    assert links.dashboard_uid("eu") != links.dashboard_uid("eu", "eu")


def test_the_table_links_to_the_dashboard_of_every_model(stack: StackSettings) -> None:
    (table,) = [p for p in asking(files(stack)[links.dashboard_uid("test")]) if p["type"] == "table"]
    (query,) = [t["expr"] for t in table["targets"] if "uid" in t["expr"]]
    rules = re.findall(r'"uid", "([^"]+)", "model", "([^"]+)"', query)
    for model in stack.models:
        uid = ""
        for replacement, pattern in rules:
            if match := re.fullmatch(pattern, model.name):
                uid = replacement.replace("$1", match[1] if match.groups() else "")
        assert uid == links.dashboard_uid("test", model.name)


def test_the_sdk_reads_the_file_back(stack: StackSettings) -> None:
    for file in dashboard_files(stack):
        data = json.loads(file.text)
        again = json.loads(json.dumps(models.Dashboard.from_json(data), cls=JSONEncoder))
        # The SDK's reader does not know where links and annotations stand.
        for control in (*again["links"], *again["annotations"]["list"]):
            assert control.pop("placement") == "inControlsMenu"
        assert again == data


def test_a_release_does_not_touch_a_dashboard(stack: StackSettings) -> None:
    before = [file.text for file in dashboard_files(changed(stack))]
    assert before == [file.text for file in dashboard_files(changed(stack))]
    for fields in ({"version": "v2.7"}, {"replicas": 0}, {"replicas": 9}, {"digest": "sha256:" + "0" * 64}):
        assert [file.text for file in dashboard_files(changed(stack, **fields))] == before
    assert all(text.endswith("}\n") for text in before)


def test_dashboards_follow_grafanas_own_rules(stack: StackSettings) -> None:
    for uid, found in files(stack).items():
        source, *others = found["templating"]["list"]
        assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
        assert source["label"] == "Data source"
        assert [v["name"] for v in others] == ([] if uid == links.dashboard_uid("test") else ["version"])
        for variable in others:
            assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".+")
            assert variable["refresh"] == 2
            assert variable["datasource"]["uid"] == "${datasource}"
        assert found["editable"] is False
        assert (found["timezone"], found["refresh"], found["time"]["from"]) == ("utc", "1m", "now-6h")
        assert found["tags"][:2] == ["ml-deployments", "test"]
        sources = [p["datasource"] for p in asking(found)] + [
            a["datasource"] for a in found["annotations"]["list"]
        ]
        sources += [target["datasource"] for panel in asking(found) for target in panel["targets"]]
        assert all(s == {"type": "prometheus", "uid": "${datasource}"} for s in sources)


def test_the_chosen_version_filters_what_has_one(stack: StackSettings) -> None:
    for query in queries(dashboard(stack)):
        versioned = re.findall(r"(?:model_version:|model:desired)[\w:]+\{[^}]*\}", query)
        assert all('version=~"$version"' in selected for selected in versioned)


def test_a_deployment_is_a_change_of_the_wanted_version(stack: StackSettings) -> None:
    (annotation,) = dashboard(stack)["annotations"]["list"]
    wanted = 'model:desired_version:info{namespace="ml-test",model="a"}'
    assert annotation["expr"].startswith(f"{wanted} unless on (namespace, model, version) {wanted} offset 5m")
    assert "{{version}}" in annotation["titleFormat"]


def test_every_alert_of_the_model_has_its_runbook(stack: StackSettings) -> None:
    names = {rule["alert"] for rule in alert_group(stack.models[0], stack)["rules"]}
    content = panels(dashboard(stack))["Runbooks"]["options"]["content"]
    assert {line.removeprefix("- ").partition(":")[0] for line in content.splitlines()} == names
    assert "- ModelAbsent: `docs/runbooks/ModelAbsent.md`" in content
    known = stack.model_copy(
        update={"monitoring": Monitoring.model_validate({"runbookUrl": "https://example.com/runbooks"})}
    )
    content = panels(dashboard(known))["Runbooks"]["options"]["content"]
    assert "- [ModelAbsent](https://example.com/runbooks/ModelAbsent.md)" in content
    silent = changed(stack, alerts={AlertName.ABSENT: AlertOverride(enabled=False)})
    assert "ModelAbsent" not in panels(dashboard(silent))["Runbooks"]["options"]["content"]


def test_models_and_their_stage_link_to_each_other(stack: StackSettings) -> None:
    (link,) = dashboard(stack)["links"]
    assert link["url"] == f"/d/{links.dashboard_uid('test')}"
    (link,) = files(stack)[links.dashboard_uid("test")]["links"]
    assert (link["type"], link["tags"]) == ("dashboards", ["ml-deployments"])


def test_a_dashboard_of_many_gauges_fits_into_a_config_map(stack: StackSettings) -> None:
    gauge = stack.models[0].quality["p-value"]
    assert isinstance(gauge, QualityGauge)
    (_, file) = dashboard_files(changed(stack, quality={f"gauge-{n}": gauge for n in range(20)}))
    assert len(file.text.encode()) < 1024 * 1024


def config_maps(folder: Path) -> list[dict[str, Any]]:
    """The dashboards a project deploys."""
    found = [m for m in manifests(folder, "test") if m["kind"] == "ConfigMap"]
    return [m for m in found if any(key.endswith(".json") for key in m["data"])]


def test_a_stage_has_a_config_map_for_each_dashboard(tmp_path: Path) -> None:
    found = config_maps(a_project(tmp_path))
    assert [m["metadata"]["name"] for m in found] == [
        "a-dashboard",
        "dashboard-fleet",
        "fleet-dashboard",
        f"{LONG}-one-dashboard",
        f"{LONG}-two-dashboard",
    ]
    for manifest in found:
        metadata = manifest["metadata"]
        assert metadata["namespace"] == "ml-test"
        assert metadata["labels"]["grafana_dashboard"] == "1"
        assert metadata["labels"]["ml-deployments/stage"] == "test"
        assert metadata["annotations"]["grafana_folder"] == "ml-test"
        assert "pulumi.com/patchFieldManager" in metadata["annotations"]
        ((key, text),) = manifest["data"].items()
        assert key == f"{json.loads(text)['uid']}.json"


def test_without_monitoring_there_are_no_dashboards(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    (folder / "Pulumi.test.yaml").write_text(STACK + "  ml-deployments:monitoring: {delivery: none}\n")
    assert config_maps(folder) == []


def test_a_grafana_of_the_stages_own_finds_them_in_its_namespace(tmp_path: Path) -> None:
    folder = a_project(tmp_path)
    own = "{delivery: operator, dashboardLabels: {dashboards: mine}, stack: {install: true}}"
    (folder / "Pulumi.test.yaml").write_text(f"{STACK}  ml-deployments:monitoring: {own}\n")
    found = config_maps(folder)
    assert {m["metadata"]["namespace"] for m in found} == {"monitoring"}
    assert all(m["metadata"]["labels"]["dashboards"] == "mine" for m in found)


@pytest.mark.parametrize(
    "code",
    [
        "import components.grafana_sdk",
        "import sys, components.dashboards; assert 'grafana_foundation_sdk' not in sys.modules",
    ],
)
def test_the_sdk_is_imported_late_and_without_a_warning(code: str) -> None:
    options = ["-W", "error:Prefer using dashboardv2:DeprecationWarning"]
    subprocess.run([sys.executable, *options, "-c", code], cwd=CHECKOUT, check=True, timeout=60)


def test_a_model_with_everything_has_these_panels(stack: StackSettings) -> None:
    assert list(panels(dashboard(stack))) == [
        *("Requests", "Errors", "Duration", "Pending requests a replica"),
        *("Availability budget left", "Availability over 30 days", "Availability burn rate"),
        *("Latency budget left", "Latency over 30 days", "Latency burn rate"),
        *("Replicas", "Versions serving", "Version wanted", "Restarts", "Scrape targets"),
        *("CPU", "Memory", "CPU throttling", "GPU memory"),
        *("distance", "p-value", "trained"),
        *("Alerts", "Runbooks"),
    ]
