"""How a feature store is watched: series, rules, alerts, runbooks and scraping."""

import re
from pathlib import Path

import yaml

from components.feature_store import series as feature_series
from delivery.checking.check import check
from tests.support.feature_stores import stage
from tests.support.projects import CHECKOUT, named


def test_the_page_of_the_feature_store_names_every_series() -> None:
    text = (CHECKOUT / "docs" / "feature-store.md").read_text(encoding="utf-8")
    names = {
        v for v in vars(feature_series).values() if isinstance(v, str) and re.fullmatch(r"[a-z_]+:\w+:\w+", v)
    }

    assert len(names) == 8
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_every_query_and_runbook_of_a_store_is_checked(tmp_path: Path) -> None:
    folder = stage(tmp_path)
    (folder / "docs" / "runbooks").mkdir(parents=True)
    texts = [str(problem) for problem in check(folder).problems]

    assert [text for text in texts if "FeatureViewStale has no runbook" in text]
    assert not [text for text in texts if "does not parse" in text]


def test_operator_delivery_scrapes_servers_and_redis_and_its_kube_state_metrics_knows_jobs(
    tmp_path: Path,
) -> None:
    monitoring = (
        "  ml-deployments:monitoring: {namespace: watching, delivery: operator, stack: {install: true}}\n"
    )
    found = named(stage(tmp_path, more=monitoring))
    monitor = found["ServiceMonitor feature-store-redis"]["spec"]
    service = found["Service feature-store-redis"]

    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert found["PrometheusRule feature-store"]["spec"]["groups"]
    (container,) = found["Deployment kube-state-metrics"]["spec"]["template"]["spec"]["containers"]
    assert any("cronjobs,jobs" in argument for argument in container["args"])
    assert "dashboard-features" in str(found["Deployment grafana"])


def test_an_alert_of_the_store_can_be_switched_off_and_made_a_page(tmp_path: Path) -> None:
    more = "    watch: {alerts: {FeatureStoreMissingEntities: {enabled: false}, FeatureViewStale: {severity: page}}}\n"
    (rules,) = named(stage(tmp_path, more=more))["ConfigMap feature-store-rules"]["data"].values()
    alerts = {
        rule["alert"]: rule
        for group in yaml.safe_load(rules)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }

    assert "FeatureStoreMissingEntities" not in alerts
    assert alerts["FeatureViewStale"]["labels"] == {
        "severity": "page",
        "owner": "team-features",
        "stage": "test",
        "namespace": "ml-test",
    }
