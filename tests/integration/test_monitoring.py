"""From the model file to the page: a stage is deployed, really scraped, and really goes wrong."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.alerts import alerts as model_alerts
from components.dashboards import dashboard_files
from components.stack_files import load_stack
from tests.integration.clone import Clone, copy_project, model_files
from tests.integration.monitoring.alertmanager import Inbox, inhibited
from tests.integration.monitoring.processes import eventually
from tests.integration.monitoring.prometheus import operator_config, operator_rules
from tests.integration.monitoring.replicas import load, set_faults
from tests.integration.monitoring.scene import Scene, scene, wait_for_state

# Every duration is so many times shorter; 1 takes a quarter of an hour and gives the real figures.
SPEED = int(os.environ.get("MONITORING_SPEED", "10"))
STACK = """\
  ml-deployments:monitoring:
    namespace: {namespace}-watch
    delivery: operator
    stack:
      install: true
      receivers:
        - {{webhookUrl: {inbox}/everybody}}
        - {{owner: team-language, webhookUrl: {inbox}/team-language}}
        - {{owner: team-language, severity: page, webhookUrl: {inbox}/team-language-pager}}
"""


@pytest.fixture(scope="module")
def deployed(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, Inbox]]:
    """A stage with one model of two replicas and its own monitoring stack."""
    folder = tmp_path_factory.mktemp("watched")
    state = folder / "state"
    state.mkdir()
    environment = {**sandbox.environment, "PULUMI_BACKEND_URL": state.as_uri()}
    project = Clone(copy_project(folder / "project"), environment, "ml-watched")
    model_files(project.path, 1)
    with Inbox() as inbox:
        text = STACK.format(namespace=project.namespace, inbox=inbox.address)
        project.write_stack('    m000: {version: "v1", replicas: 2}\n', text)
        project.pulumi("stack", "init")
        project.up()
        yield project, inbox
        project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def playing(deployed: tuple[Clone, Inbox], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The stage with everything around it running, and requests coming in."""
    project, inbox = deployed
    folder = tmp_path_factory.mktemp("scene")
    with scene(project, folder, inbox, SPEED) as found, load(found.servers):
        eventually(
            lambda: found.prometheus.query('model:slo_error:ratio{window="5m"}'), 60 * 60 / SPEED, "ratios"
        )
        yield found


def test_the_operator_selects_every_monitor_and_rule(deployed: tuple[Clone, Inbox]) -> None:
    project, _ = deployed
    watch = f"{project.namespace}-watch"
    eventually(lambda: operator_rules(project, watch), 30, "the operator writes rule files")
    assert [name for name in operator_rules(project, watch) if "m000" in name]
    jobs = {scrape["job_name"] for scrape in operator_config(project, watch)["scrape_configs"]}
    assert jobs == {
        f"serviceMonitor/{project.namespace}/m000/0",
        f"serviceMonitor/{watch}/kube-state-metrics/0",
        f"scrapeConfig/{watch}/cadvisor",
    }


def test_a_release_is_two_pure_updates(deployed: tuple[Clone, Inbox]) -> None:
    project, _ = deployed
    path = project.path / "Pulumi.test.yaml"
    before = path.read_text()
    path.write_text(before.replace('"v1"', '"v2"'))
    try:
        steps = [(op, urn.rpartition("$")[2]) for op, urn in project.preview_steps()]
    finally:
        path.write_text(before)
    assert set(steps) == {
        ("update", "kubernetes:monitoring.coreos.com/v1:PrometheusRule::m000-PrometheusRule"),
        ("update", "kubernetes:apps/v1:Deployment::m000"),
    }


def test_every_replica_is_scraped_and_no_rule_fails(playing: Scene) -> None:
    up = playing.prometheus.query('up{app_kubernetes_io_name="m000"}')
    assert {sample["metric"]["app_kubernetes_io_version"] for sample in up} == {"v1"}
    assert [sample["value"][1] for sample in up] == ["1", "1"]
    groups = playing.prometheus.api("rules")["groups"]
    assert len(groups) == 3
    failed = [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]
    assert not failed
    fast = next(group for group in groups if group["name"].endswith(".series"))
    assert {rule["health"] for rule in fast["rules"]} == {"ok"}


def test_every_panel_has_data(playing: Scene) -> None:
    stack = load_stack(playing.project.path, "test").settings
    empty = []
    for file in dashboard_files(stack):
        for panel in json.loads(file.text)["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$version", ".+")
                if not playing.prometheus.query(expression.replace("$__range", "5m")):
                    empty.append((file.uid, panel["title"], target["expr"]))
    assert not empty


def test_errors_page_the_owner_and_inhibit_the_ticket(playing: Scene) -> None:
    burning = {"name": "ModelAvailabilityBudgetBurn", "window": "1h"}
    assert playing.prometheus.alert_state(**burning) == "inactive"
    set_faults(playing.folder, errors=20)
    wait_for_state(playing, "pending", seconds=600 / SPEED, **burning)
    wait_for_state(playing, "firing", seconds=600 / SPEED, **burning)
    (alert,) = [
        alert
        for alert in playing.prometheus.api("alerts")["alerts"]
        if {"alertname": burning["name"], "window": "1h"}.items() <= alert["labels"].items()
    ]
    assert alert["labels"]["owner"] == "team-language"
    assert "% of the requests of the last 1h were bad" in alert["annotations"]["description"]
    pager = "/team-language-pager"
    eventually(
        lambda: "ModelAvailabilityBudgetBurn" in playing.inbox.received(pager), 1200 / SPEED, "the page"
    )
    assert not playing.inbox.received("/everybody")
    # Shorter for the test than its hour: the tickets of the slow windows are inhibited once they fire.
    eventually(
        lambda: ("ModelAvailabilityBudgetBurn", "ticket") in inhibited(playing.alertmanager),
        5400 / SPEED,
        "the ticket is inhibited",
    )
    assert "ModelAvailabilityBudgetBurn" not in playing.inbox.received("/team-language")
    set_faults(playing.folder)
    wait_for_state(playing, "inactive", seconds=900 / SPEED, **burning)
    eventually(
        lambda: "ModelAvailabilityBudgetBurn" in playing.inbox.received(pager, "resolved"),
        1200 / SPEED,
        "the page is resolved",
    )


def test_slow_requests_burn_the_latency_budget(playing: Scene) -> None:
    burning = {"name": "ModelLatencyBudgetBurn", "window": "1h"}
    set_faults(playing.folder, slow=60)
    wait_for_state(playing, "firing", seconds=1200 / SPEED, **burning)
    quantile = playing.prometheus.value(
        'max(model_version:request_duration_seconds:quantile5m{quantile="0.99"})'
    )
    assert 0.5 < quantile < 1.1
    set_faults(playing.folder)
    wait_for_state(playing, "inactive", seconds=900 / SPEED, **burning)


def test_a_failed_load_and_a_lost_replica_are_told(playing: Scene) -> None:
    broken = playing.folder / "broken.skops"
    broken.write_bytes(b"no model")
    replica = playing.servers[0]
    replica.start(broken)
    wait_for_state(playing, "firing", "ModelLoadFailed", 600 / SPEED, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelLoadFailed", 600 / SPEED)
    replica.stack.close()
    wait_for_state(playing, "pending", "ModelTargetDown", 600 / SPEED, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelTargetDown", 600 / SPEED)


def test_a_version_that_is_not_the_files_is_told(playing: Scene) -> None:
    project = playing.project
    patch = {
        "spec": {
            "template": {"metadata": {"labels": {"app.kubernetes.io/version": "v0"}}},
            "paused": False,
        }
    }
    project.run(
        "kubectl",
        *("patch", "deployment", "m000", f"--namespace={project.namespace}"),
        f"--patch={json.dumps(patch)}",
    )
    wait_for_state(playing, "pending", "ModelAbsent", 1200 / SPEED)
    project.up("--refresh")


def test_every_alert_of_the_model_is_known_to_prometheus(playing: Scene) -> None:
    stack = load_stack(playing.project.path, "test").settings
    expected = {alert.name.value for alert in model_alerts(stack.models[0], stack)}
    groups = playing.prometheus.api("rules", type="alert")["groups"]
    assert {rule["name"] for group in groups for rule in group["rules"]} == expected


def test_only_the_playing_hosts_were_asked(playing: Scene, tmp_path: Path) -> None:
    asked = {host for host, _ in playing.network.asked}
    assert asked
    assert all(host.startswith(("10.", "192.0.2.")) for host in asked)
