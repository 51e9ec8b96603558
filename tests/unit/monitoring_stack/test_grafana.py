"""Grafana shows the dashboards in git, and restarts when its configuration changes."""

from pathlib import Path

from components.monitoring_stack.grafana_files import DASHBOARDS_FOLDER, checksum
from tests.support.monitoring_stacks import (
    INSTALLED,
    Manifest,
    of_kind,
    one,
    stack_of,
)


def test_grafana_mounts_every_dashboard(installed: list[Manifest]) -> None:
    dashboards = {
        m["metadata"]["name"]: m
        for m in of_kind(installed, "ConfigMap")
        if not m["metadata"]["name"].endswith("-provisioning")
    }
    assert dashboards.keys() == {"a-dashboard", "dashboard-fleet"}
    assert {m["metadata"]["namespace"] for m in dashboards.values()} == {"watch"}
    pod = one(installed, "Deployment", "grafana")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    sources = volumes[mounts[DASHBOARDS_FOLDER]]["projected"]["sources"]
    assert {source["configMap"]["name"] for source in sources} == dashboards.keys()
    # All files are in one folder, so their names are unique.
    files = [file for m in dashboards.values() for file in m["data"]]
    assert len(set(files)) == len(files)
    env = {e["name"]: e["value"] for e in container["env"]}
    (fleet,) = dashboards["dashboard-fleet"]["data"]
    assert env["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{DASHBOARDS_FOLDER}/{fleet}"


def test_grafana_reads_prometheus_and_its_folder(installed: list[Manifest]) -> None:
    datasources = one(installed, "ConfigMap", "grafana-datasources-provisioning")["data"]["datasources.yaml"]
    assert "http://prometheus-operated.watch.svc:9090" in datasources
    assert "uid: prometheus" in datasources
    providers = one(installed, "ConfigMap", "grafana-dashboards-provisioning")["data"]["providers.yaml"]
    assert f"path: {DASHBOARDS_FOLDER}" in providers
    pod = one(installed, "Deployment", "grafana")["spec"]["template"]["spec"]
    mounted = {v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v}
    assert mounted == {"grafana-datasources-provisioning", "grafana-dashboards-provisioning"}


def test_a_change_of_provisioning_rolls_grafana(tmp_path: Path, installed: list[Manifest]) -> None:
    other = stack_of(tmp_path, INSTALLED.replace("watch", "elsewhere"))
    annotations = [
        one(found, "Deployment", "grafana")["spec"]["template"]["metadata"]["annotations"]
        for found in (installed, other)
    ]
    assert annotations[0] != annotations[1]
    assert checksum({"a": {"b": "c"}}) == checksum({"a": {"b": "c"}}) != checksum({"a": {"b": "d"}})


def test_grafana_knows_its_address_where_the_stack_names_it(tmp_path: Path) -> None:
    text = INSTALLED.replace("namespace: watch,", 'namespace: watch, grafanaUrl: "https://g.example.com",')
    (container,) = one(stack_of(tmp_path, text), "Deployment", "grafana")["spec"]["template"]["spec"][
        "containers"
    ]
    assert {"name": "GF_SERVER_ROOT_URL", "value": "https://g.example.com"} in container["env"]
