"""The dashboards as files: what identifies them, where they are, and that a release does not change them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.dashboards import dashboard_files
from components.kubernetes.staged_model import StagedModel
from components.monitoring import links
from components.monitoring.alerts.model import alert_group
from components.monitoring.dashboards.grafana_sdk import JSONEncoder, models
from components.settings.monitoring import Monitoring
from components.settings.stack import StackSettings
from components.settings.watching import AlertName, AlertOverride, QualityGauge
from delivery.rendering.render import manifests
from tests.support.dashboards import (
    LONG,
    STACK,
    a_project,
    a_stage,
    asking,
    changed,
    dashboard,
    files,
    panels,
    queries,
)
from tests.support.projects import CHECKOUT


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    return a_stage(tmp_path_factory.mktemp("project"))


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
        # The SDK's reader does not read links and annotations.
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
    names = {rule["alert"] for rule in alert_group(StagedModel(stack.models[0], stack))["rules"]}
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
    own = (
        "{namespace: watch, delivery: operator, dashboardLabels: {dashboards: mine}, stack: {install: true}}"
    )
    (folder / "Pulumi.test.yaml").write_text(f"{STACK}  ml-deployments:monitoring: {own}\n")
    found = config_maps(folder)
    assert {m["metadata"]["namespace"] for m in found} == {"watch"}
    assert all(m["metadata"]["labels"]["dashboards"] == "mine" for m in found)


@pytest.mark.parametrize(
    "code",
    [
        "import components.monitoring.dashboards.grafana_sdk",
        "import sys, components.dashboards; assert 'grafana_foundation_sdk' not in sys.modules",
    ],
)
def test_the_sdk_is_imported_late_and_without_a_warning(code: str) -> None:
    options = ["-W", "error:Prefer using dashboardv2:DeprecationWarning"]
    subprocess.run([sys.executable, *options, "-c", code], cwd=CHECKOUT, check=True, timeout=60)


def test_a_model_with_everything_has_these_panels(stack: StackSettings) -> None:
    assert list(panels(dashboard(stack))) == [
        *("Requests", "Errors", "Duration", "Pending requests per replica"),
        *("Availability budget left", "Availability over 30 days", "Availability burn rate"),
        *("Latency budget left", "Latency over 30 days", "Latency burn rate"),
        *("Replicas", "Versions serving", "Desired version", "Restarts", "Scrape targets"),
        *("CPU", "Memory", "CPU throttling", "GPU memory"),
        *("distance", "p-value", "trained"),
        *("Alerts", "Runbooks"),
    ]
