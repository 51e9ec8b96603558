"""What `delivery check` says about monitoring."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts import coverage
from components.monitoring.alerts.coverage import left_out
from components.monitoring.alerts.model import alerts
from components.runtimes.table import Runtime
from components.settings.feature_store import FeatureAlertName
from components.settings.watching import AlertName
from components.stack import load_stack
from delivery.checking import monitoring as check_monitoring
from delivery.cli import app
from tests.support.features import STORE, write_features
from tests.support.projects import GOOD_STACK, MODEL, entry, named, project
from tests.support.watched import changed, model_file, watched


def check(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", "--project", str(folder)])
    return result.exit_code, result.output


def test_it_says_what_a_runtime_leaves_unwatched(tmp_path: Path) -> None:
    code, out = check(project(tmp_path, a=MODEL + 'runtime: kserve\nslo: {availability: "99.9"}\n'))
    assert code == 0
    assert (
        "test: a has no ModelAvailabilityBudgetBurn: the runtime kserve does not count failed requests" in out
    )
    assert (
        "test: a has no ModelSaturated: the runtime kserve does not show requests in progress or waiting"
        in out
    )
    assert "ModelGpuMemoryHigh" not in out


def test_it_says_when_a_change_of_an_alert_has_no_effect(tmp_path: Path) -> None:
    code, out = check(project(tmp_path, a=MODEL + "alerts: {ModelDrift: {severity: page}}\n"))
    assert code == 0
    assert "test: a has no ModelDrift: the model names no drift gauge" in out


def test_an_alert_without_its_page_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "docs" / "runbooks").mkdir(parents=True)
    code, out = check(project(tmp_path))
    assert code == 1
    assert "docs/runbooks/ModelAbsent.md: ModelAbsent has no runbook. Fix: write the page" in out


def test_a_query_that_does_not_parse_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_monitoring, "dashboard_queries", lambda _: [("the panel X of Y", "sum by (")])
    code, out = check(project(tmp_path))
    assert code == 1
    assert "the query of the panel X of Y does not parse" in out


def test_nothing_is_counted_where_nothing_is_watched(tmp_path: Path) -> None:
    none = "  ml-deployments:monitoring: {delivery: none}\n"
    code, out = check(project(tmp_path, entry('version: "v1"\nreplicas: 2') + none))
    assert code == 0
    assert [cell.strip() for cell in out.splitlines()[3].split("│")][-3:-1] == ["0", "0"]


def test_a_stopped_model_keeps_only_what_does_not_need_its_pods(tmp_path: Path) -> None:
    stopped = changed(watched(tmp_path, model_file(Runtime.GENERIC)), replicas=0)
    reasons = {found.alert: found.reason for found in left_out(stopped)}
    assert reasons[AlertName.ABSENT] == "the model has no replicas in this stage"
    assert AlertName.AVAILABILITY_BUDGET_BURN not in reasons


@pytest.mark.parametrize("replicas", [0, 2])
@pytest.mark.parametrize("runtime", [Runtime.GENERIC, Runtime.TRITON])
def test_an_alert_that_nothing_builds_gets_no_reason_that_is_not_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Runtime, replicas: int
) -> None:
    staged = changed(watched(tmp_path, model_file(runtime)), replicas=replicas)
    assert not any(found.reason.startswith("the model names") for found in left_out(staged))
    for forgotten in {alert.name for alert in alerts(staged.running)}:
        monkeypatch.setattr(
            coverage, "alerts", lambda one, name=forgotten: [a for a in alerts(one) if a.name != name]
        )
        with pytest.raises(LookupError, match=forgotten.value):
            left_out(staged)


def test_a_server_without_metrics_keeps_what_kubernetes_reports(tmp_path: Path) -> None:
    folder = project(tmp_path, a=MODEL + "metrics: {enabled: false}\n")
    stack = load_stack(Sources.of(folder), "test").settings
    staged = StagedModel(stack.models[0], stack)
    assert [alert.name.value for alert in alerts(staged)] == [
        "ModelCrashLooping",
        "ModelOutOfMemoryKilled",
        "ModelNotReady",
        "ModelReplicasBelowDesired",
        "ModelRolloutStuck",
        "ModelAutoscalerAtMaximum",
        "ModelKubernetesStateAbsent",
    ]
    reasons = {found.alert: found.reason for found in left_out(staged)}
    assert reasons[AlertName.ABSENT] == "the server has no metrics: metrics.enabled is false"
    assert reasons[AlertName.SATURATED] == reasons[AlertName.VERSION_MISMATCH] == reasons[AlertName.ABSENT]
    # Nothing is scraped, and nothing may come in to scrape.
    found = named(folder)
    assert "annotations" not in found["Deployment a"]["spec"]["template"]["metadata"]
    assert found["NetworkPolicy a"]["spec"]["ingress"] == []
    assert "up{" not in found["ConfigMap a-rules"]["data"]["test-a.rules.yaml"]
    (dashboard,) = found["ConfigMap a-dashboard"]["data"].values()
    assert "Scrape targets" not in dashboard
    assert "Requests" not in dashboard


def test_an_alert_that_is_switched_off_is_left_out_by_choice(tmp_path: Path) -> None:
    folder = project(tmp_path, a=MODEL + "alerts: {ModelAbsent: {enabled: false}}\n")
    stack = load_stack(Sources.of(folder), "test").settings
    (found,) = [
        each for each in left_out(StagedModel(stack.models[0], stack)) if each.alert is AlertName.ABSENT
    ]
    assert (found.reason, found.by_runtime) == ("switched off in the files", False)


@pytest.mark.parametrize(
    ("monitoring", "context", "refused"),
    [
        ("watch-test", "", True),
        ("ml-test", "", True),
        ("watch-second", "", False),
        ("watch-test", "  ml-deployments:kubeContext: other\n", False),
    ],
)
def test_two_stages_of_one_cluster_share_no_namespace(
    tmp_path: Path, monitoring: str, context: str, *, refused: bool
) -> None:
    own = "  ml-deployments:monitoring: {namespace: %s, delivery: operator, stack: {install: true}}\n"
    good = entry('version: "v1"\nreplicas: 2')
    folder = project(tmp_path, good + own % "watch-test")
    second = good.replace("ml-test", "ml-second") + own % monitoring + context
    (folder / "Pulumi.second.yaml").write_text(second)
    code, out = check(folder)
    assert code == int(refused)
    assert ("whose removal would remove it" in out) is refused


def test_the_feature_store_has_its_own_row(tmp_path: Path) -> None:
    write_features(tmp_path)
    project(tmp_path, GOOD_STACK + STORE)
    code, out = check(tmp_path)
    assert code == 0, out
    (row,) = [line for line in out.splitlines() if "the feature store" in line]
    version, replicas, rules, alerts = row.replace("│", " ").split()[-4:]
    assert (version, replicas) == ("0.67.0", "2")
    # One alert of each kind, and for its one view there are no more.
    assert int(alerts) == len(FeatureAlertName)
    assert int(rules) > int(alerts)
