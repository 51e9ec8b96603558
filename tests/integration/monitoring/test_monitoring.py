"""From the model file to the page: a stage is deployed, really scraped, and really goes wrong."""

import json
import os
from collections.abc import Iterator

import pytest

from components.files.sources import Sources
from components.monitoring.alerts.model import alerts as model_alerts
from components.stack import load_stack
from delivery.checking.monitoring import dashboard_queries
from sandbox.harness.clone import Clone
from sandbox.harness.sandboxes import project_of
from sandbox.harness.waiting import eventually
from tests.integration.monitoring.alertmanager import Inbox, inhibited
from tests.integration.monitoring.operator_made import operator_config, operator_rules
from tests.integration.monitoring.replicas import load, set_faults
from tests.integration.monitoring.scene import Scene, pods_of, scene, wait_for_state

pytestmark = pytest.mark.alone
# Every duration is so many times shorter; 1 gives the real figures of the page.
SPEED = int(os.environ.get("MONITORING_SPEED", "30"))
AVAILABILITY, LATENCY = "ModelAvailabilityBudgetBurn", "ModelLatencyBudgetBurn"
PAGER = "/team-language-pager"
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
    project = project_of(sandbox, tmp_path_factory.mktemp("watched"), "ml-watched", 1)
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
        budget = 'model:slo_error_budget_remaining:ratio{slo="latency"}'
        eventually(lambda: found.prometheus.query(budget), 60 * 60 / SPEED, "the error budget is recorded")
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


def test_every_object_waits_for_the_namespace_it_is_in(deployed: tuple[Clone, Inbox]) -> None:
    project, _ = deployed
    resources = json.loads(project.pulumi("stack", "export").stdout)["deployment"]["resources"]
    objects = [r for r in resources if r["type"].startswith("kubernetes:")]
    namespaces = {
        r["inputs"]["metadata"]["name"]: r["urn"] for r in objects if r["type"].endswith(":Namespace")
    }
    assert set(namespaces) == {project.namespace, f"{project.namespace}-watch"}
    for resource in objects:
        namespace = resource["inputs"]["metadata"].get("namespace")
        assert namespace is None or namespaces[namespace] in resource["dependencies"], resource["urn"]


def test_the_service_accounts_may_read_what_they_ask_for_and_no_more(deployed: tuple[Clone, Inbox]) -> None:
    project, _ = deployed
    watch = f"{project.namespace}-watch"

    def may(account: str, verb: str, resource: str, *where: str) -> bool:
        who = f"--as=system:serviceaccount:{watch}:{account}"
        done = project.run("kubectl", "auth", "can-i", verb, resource, who, *where, check=False)
        return done.stdout.strip() == "yes"

    own, foreign = f"--namespace={project.namespace}", "--namespace=kube-system"
    for resource in ("services", "pods", "endpointslices.discovery.k8s.io"):
        for verb in ("get", "list", "watch"):
            assert may("prometheus", verb, resource, own)
            assert not may("prometheus", verb, resource, foreign)
    assert may("prometheus", "list", "nodes")
    assert may("prometheus", "get", "nodes/metrics")
    for resource in ("pods", "deployments.apps", "horizontalpodautoscalers.autoscaling"):
        assert may("kube-state-metrics", "list", resource, own)
        assert not may("kube-state-metrics", "list", resource, foreign)
    for account in ("prometheus", "kube-state-metrics", "grafana", "alertmanager"):
        assert not may(account, "get", "secrets", own)


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


@pytest.fixture(scope="module")
def burning(playing: Scene) -> Scene:
    """A fifth of the requests fails, for so long that the owner is paged."""
    assert playing.prometheus.alert_state(AVAILABILITY, window="1h") == "inactive"
    set_faults(playing.folder, errors=20)
    wait_for_state(playing, "pending", AVAILABILITY, 600 / SPEED, window="1h")
    wait_for_state(playing, "firing", AVAILABILITY, 600 / SPEED, window="1h")
    return playing


def test_an_alert_tells_whom_it_is_for_and_how_bad_it_is(burning: Scene) -> None:
    (alert,) = [
        alert
        for alert in burning.prometheus.api("alerts")["alerts"]
        if {"alertname": AVAILABILITY, "window": "1h"}.items() <= alert["labels"].items()
    ]
    assert alert["labels"]["owner"] == "team-language"
    assert "% of the requests of the last 1h were bad" in alert["annotations"]["description"]


def test_every_panel_has_data(burning: Scene) -> None:
    stack = load_stack(Sources.of(burning.project.path), "test").settings
    queries = list(dashboard_queries(stack))
    assert len(queries) > 20
    empty = [f"{panel}: {query}" for panel, query in queries if not burning.prometheus.query(query)]
    assert not empty, "\n".join(empty)


def test_errors_page_their_owner_and_nobody_else(burning: Scene) -> None:
    eventually(lambda: AVAILABILITY in burning.inbox.received(PAGER), 1200 / SPEED, "the page")
    assert AVAILABILITY not in burning.inbox.received("/everybody")
    assert AVAILABILITY not in burning.inbox.received("/team-language")


def test_the_page_inhibits_the_ticket(burning: Scene) -> None:
    ticket = (AVAILABILITY, "ticket")
    eventually(lambda: ticket in inhibited(burning.alertmanager), 5400 / SPEED, "the ticket is inhibited")
    assert AVAILABILITY not in burning.inbox.received("/team-language")


def test_the_page_is_resolved_when_the_errors_end(burning: Scene) -> None:
    set_faults(burning.folder)
    wait_for_state(burning, "inactive", AVAILABILITY, 900 / SPEED, window="1h")
    eventually(
        lambda: AVAILABILITY in burning.inbox.received(PAGER, "resolved"), 1200 / SPEED, "the all-clear"
    )


def test_slow_requests_burn_the_latency_budget(playing: Scene) -> None:
    set_faults(playing.folder, slow=100)
    wait_for_state(playing, "firing", LATENCY, 3600 / SPEED, window="1h")
    quantile = 'model_version:request_duration_seconds:quantile5m{quantile="0.95"}'
    assert playing.prometheus.value(f"max({quantile})") > 0.5
    set_faults(playing.folder)
    wait_for_state(playing, "inactive", LATENCY, 900 / SPEED, window="1h")


def test_a_failed_load_and_a_lost_replica_are_told(playing: Scene) -> None:
    broken = playing.folder / "broken.skops"
    broken.write_bytes(b"no model")
    replica = playing.servers[0]
    replica.start(broken)
    wait_for_state(playing, "firing", "ModelLoadFailed", 60 + 600 / SPEED, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelLoadFailed", 600 / SPEED)
    replica.stack.close()
    wait_for_state(playing, "pending", "ModelTargetDown", 600 / SPEED, pod=replica.pod)
    replica.start()
    wait_for_state(playing, "inactive", "ModelTargetDown", 600 / SPEED)


def test_a_version_that_is_not_the_files_is_told(playing: Scene) -> None:
    labels = {"metadata": {"labels": {"app.kubernetes.io/version": "v0"}}}
    command = ("patch", "deployment", "m000", f"--namespace={playing.project.namespace}")
    playing.project.run("kubectl", *command, f"--patch={json.dumps({'spec': {'template': labels}})}")
    _play_pods(playing, "v0")
    wait_for_state(playing, "firing", "ModelVersionMismatch", 2400 / SPEED, version="v0")
    playing.project.up("--refresh")
    _play_pods(playing, "v1")
    wait_for_state(playing, "inactive", "ModelVersionMismatch", 600 / SPEED)


def _play_pods(playing: Scene, version: str) -> None:
    """Let the servers play the pods of a version, once the Deployment has rolled to it."""
    project, selector = playing.project, f"app.kubernetes.io/version={version}"

    def rolled() -> bool:
        pods = pods_of(project, project.namespace, selector)
        return len(pods) == len(playing.servers) and all("podIP" in pod["status"] for pod in pods)

    eventually(rolled, 60, f"the Deployment rolls to {version}")
    for pod, server in zip(pods_of(project, project.namespace, selector), playing.servers, strict=True):
        playing.network.hosts[pod["status"]["podIP"]] = server.address


def test_every_alert_of_the_model_is_known_to_prometheus(playing: Scene) -> None:
    stack = load_stack(Sources.of(playing.project.path), "test").settings
    expected = {alert.name.value for alert in model_alerts(stack.models[0], stack)}
    groups = playing.prometheus.api("rules", type="alert")["groups"]
    assert {rule["name"] for group in groups for rule in group["rules"]} == expected


def test_every_host_that_plays_was_asked(playing: Scene) -> None:
    asked = {host for host, _ in tuple(playing.network.asked)}
    assert asked >= set(playing.network.hosts)
