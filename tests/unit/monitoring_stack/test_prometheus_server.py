"""What the stage's Prometheus sees: the stage's own objects, and no others."""

from pathlib import Path

import pytest

from tests.support.monitoring_stacks import (
    INSTALLED,
    Manifest,
    of_kind,
    one,
    stack_of,
)


@pytest.mark.parametrize("labels", ["", "    selectorLabels: {release: ours}\n"])
def test_prometheus_selects_what_the_models_and_the_stack_bring(tmp_path: Path, labels: str) -> None:
    text = (
        "  ml-deployments:monitoring:\n"
        f"    namespace: watch\n    delivery: operator\n{labels}    stack: {{install: true}}\n"
    )
    found = stack_of(tmp_path, text)
    spec = one(found, "Prometheus")["spec"]
    wanted = {
        "ServiceMonitor": ("serviceMonitor", {("ml-test", "a"), ("watch", "kube-state-metrics")}),
        "PrometheusRule": ("rule", {("ml-test", "a")}),
        "ScrapeConfig": ("scrapeConfig", {("watch", "cadvisor")}),
    }
    for kind, (prefix, names) in wanted.items():
        selector = spec[f"{prefix}Selector"]["matchLabels"]
        (namespaces,) = spec[f"{prefix}NamespaceSelector"]["matchExpressions"]
        assert selector
        # Anyone may give another namespace the stage's own label.
        assert (namespaces["key"], namespaces["operator"]) == ("kubernetes.io/metadata.name", "In")
        selected = {
            (m["metadata"]["namespace"], m["metadata"]["name"])
            for m in of_kind(found, kind)
            if selector.items() <= m["metadata"]["labels"].items()
            and m["metadata"]["namespace"] in namespaces["values"]
        }
        assert selected == names
    # Nothing here creates PodMonitors, and what is not selected cannot use Prometheus' token.
    assert "podMonitorSelector" not in spec


def test_monitors_find_their_services_and_services_their_pods(installed: list[Manifest]) -> None:
    for name in ("a", "kube-state-metrics"):
        monitor = one(installed, "ServiceMonitor", name)
        service = one(installed, "Service", name)
        assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    for name in ("grafana", "kube-state-metrics"):
        template = one(installed, "Deployment", name)["spec"]["template"]
        spec = one(installed, "Service", name)["spec"]
        assert spec["selector"].items() <= template["metadata"]["labels"].items()
        ports = {p["name"]: p["containerPort"] for p in template["spec"]["containers"][0]["ports"]}
        assert ports[spec["ports"][0]["targetPort"]] == spec["ports"][0]["port"]


def test_kube_state_metrics_watches_the_stage_as_its_role_allows(installed: list[Manifest]) -> None:
    (container,) = one(installed, "Deployment", "kube-state-metrics")["spec"]["template"]["spec"][
        "containers"
    ]
    arguments = dict(argument.removeprefix("--").split("=") for argument in container["args"])
    assert arguments["namespaces"] == "ml-test"
    role = one(installed, "Role", "kube-state-metrics")
    assert role["metadata"]["namespace"] == "ml-test"
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    assert sorted(arguments["resources"].split(",")) == sorted(
        resource for rule in role["rules"] for resource in rule["resources"]
    )
    (endpoint,) = one(installed, "ServiceMonitor", "kube-state-metrics")["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True


def test_of_the_kubelets_only_the_stages_few_series_are_kept(installed: list[Manifest]) -> None:
    spec = one(installed, "ScrapeConfig")["spec"]
    kept = {rule["sourceLabels"][0]: rule["regex"] for rule in spec["metricRelabelings"]}
    assert {rule["action"] for rule in spec["metricRelabelings"]} == {"keep"}
    assert kept["namespace"] == "ml-test"
    assert set(kept["__name__"].split("|")) == {
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
        "container_cpu_cfs_periods_total",
        "container_cpu_cfs_throttled_periods_total",
    }
    (scrape_class,) = one(installed, "Prometheus")["spec"]["scrapeClasses"]
    assert spec["scrapeClass"] == scrape_class["name"]
    assert scrape_class["authorization"]["credentialsFile"].endswith("/token")
    assert "insecureSkipVerify" not in scrape_class["tlsConfig"]
    # Only targets that name the class get the token.
    assert "default" not in scrape_class
    assert one(installed, "Prometheus")["spec"]["arbitraryFSAccessThroughSMs"] == {"deny": True}


def test_storage_and_retention_are_the_stack_files(tmp_path: Path, installed: list[Manifest]) -> None:
    spec = one(installed, "Prometheus")["spec"]
    claim = spec["storage"]["volumeClaimTemplate"]["spec"]
    assert claim == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}}
    assert (spec["retention"], spec["retentionSize"]) == ("35d", "43520MiB")
    other = INSTALLED.replace(
        "install: true", "install: true, retention: 90d, storage: {size: 1Ti, storageClass: fast}"
    )
    spec = one(stack_of(tmp_path, other), "Prometheus")["spec"]
    assert spec["retention"] == "90d"
    assert spec["storage"]["volumeClaimTemplate"]["spec"]["storageClassName"] == "fast"
    without = INSTALLED.replace("install: true", "install: true, storage: null")
    spec = one(stack_of(tmp_path, without), "Prometheus")["spec"]
    assert spec["storage"] == {"emptyDir": {"sizeLimit": "20Gi"}}
    assert spec["retentionSize"] == "17408MiB"
    assert spec["resources"]["limits"]["ephemeral-storage"] == "21Gi"
