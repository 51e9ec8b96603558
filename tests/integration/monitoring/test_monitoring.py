"""From the model file to the page: a stage is deployed, really scraped, and pages its owner."""

import json

from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.monitoring.alerts.model import alerts as model_alerts
from components.stack import load_stack
from delivery.checking.monitoring import dashboard_queries
from sandbox.harness.clone import Clone
from sandbox.harness.waiting import eventually
from tests.integration.monitoring.alertmanager import Inbox
from tests.integration.monitoring.operator_made import operator_config, operator_rules
from tests.integration.monitoring.scene import AVAILABILITY, PAGER, Scene


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
    up = 'up{app_kubernetes_io_name="m000",app_kubernetes_io_version="v1"}'
    # On a busy machine a single scrape may be too late.
    eventually(
        lambda: [sample["value"][1] for sample in playing.prometheus.query(up)] == ["1", "1"],
        600 / playing.speed,
        "both replicas are scraped",
    )
    assert len(playing.prometheus.query('up{app_kubernetes_io_name="m000"}')) == 2
    groups = playing.prometheus.api("rules")["groups"]
    assert len(groups) == 3
    failed = [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]
    assert not failed
    fast = next(group for group in groups if group["name"].endswith(".series"))
    assert {rule["health"] for rule in fast["rules"]} == {"ok"}


def test_an_alert_has_its_owner_and_its_severity(burning: Scene) -> None:
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


def test_errors_page_their_owner_and_no_one_else(burning: Scene) -> None:
    eventually(lambda: AVAILABILITY in burning.inbox.received(PAGER), 1200 / burning.speed, "the page")
    assert AVAILABILITY not in burning.inbox.received("/everybody")
    assert AVAILABILITY not in burning.inbox.received("/team-language")


def test_every_alert_of_the_model_is_known_to_prometheus(playing: Scene) -> None:
    stack = load_stack(Sources.of(playing.project.path), "test").settings
    expected = {alert.name.value for alert in model_alerts(StagedModel(stack.models[0], stack))}
    groups = playing.prometheus.api("rules", type="alert")["groups"]
    assert {rule["name"] for group in groups for rule in group["rules"]} == expected


def test_every_host_that_plays_was_asked(playing: Scene) -> None:
    asked = {host for host, _ in tuple(playing.network.asked)}
    assert asked >= set(playing.network.hosts)
