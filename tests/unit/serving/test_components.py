"""The objects of a stage: hardened by default, and changed by a release only where necessary."""

from pathlib import Path
from typing import Any

import pytest

from delivery.rendering.render import manifests
from sandbox.harness.registrations import record
from tests.support.projects import CHECKOUT, MODEL, entry, named, project

GOOD = 'version: "v1"\nreplicas: 2'


def objects(folder: Path, stage: str = "test") -> dict[str, dict[str, Any]]:
    return {manifest["kind"]: manifest for manifest in manifests(folder, stage)}


@pytest.fixture(scope="module")
def production() -> dict[str, dict[str, Any]]:
    found = manifests(CHECKOUT, "production")
    return {
        m["kind"]: m
        for m in found
        if m["metadata"].get("namespace", m["metadata"]["name"]) == "ml-production"
    }


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def test_a_model_is_these_objects(production: dict[str, dict[str, Any]]) -> None:
    roles = {"Role", "RoleBinding"}
    assert [kind for kind in production if kind not in roles] == [
        "Namespace",
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "ResourceQuota",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    ]


def test_pods_are_restricted(production: dict[str, dict[str, Any]]) -> None:
    spec = pod(production["Deployment"])
    (container,) = spec["containers"]
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
    assert spec["automountServiceAccountToken"] is False
    labels = production["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_roll_loses_no_replica(production: dict[str, dict[str, Any]]) -> None:
    spec = production["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    (container,) = pod(production["Deployment"])["containers"]
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert pod(production["Deployment"])["terminationGracePeriodSeconds"] == 60
    startup = container["startupProbe"]
    budget = startup["failureThreshold"] * startup["periodSeconds"]
    assert budget == 600
    assert spec["progressDeadlineSeconds"] > budget


def test_the_server_knows_its_name_and_version(production: dict[str, dict[str, Any]]) -> None:
    (container,) = pod(production["Deployment"])["containers"]
    assert {e["name"]: e["value"] for e in container["env"]} == {
        "MODEL_NAME": "sentiment-classifier",
        "MODEL_VERSION": "v1.2.0",
    }


def test_selectors_match_the_pods_and_contain_no_version(production: dict[str, dict[str, Any]]) -> None:
    labels = production["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        production["Deployment"]["spec"]["selector"]["matchLabels"],
        production["Service"]["spec"]["selector"],
        production["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        production["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert "app.kubernetes.io/version" not in selector


def test_a_release_changes_the_deployment_and_the_version_its_rules_expect(tmp_path: Path) -> None:
    before = named(project(tmp_path))
    after = named(project(tmp_path, entry('version: "v2"\nreplicas: 2')))
    assert [name for name in before if before[name] != after[name]] == ["ConfigMap a-rules", "Deployment a"]


def test_traffic_is_closed_but_for_what_is_named(tmp_path: Path) -> None:
    text = MODEL + (
        "network:\n"
        "  clients: [{labels: {app: web}}, {namespace: shop, labels: {app: cart}}]\n"
        "  egress: [{pods: {namespace: data, labels: {app: redis}}, ports: [6379]}, {cidr: 10.0.0.0/8, ports: [443]}]\n"
    )
    spec = named(project(tmp_path, a=text))["NetworkPolicy a"]["spec"]
    clients, monitoring = spec["ingress"]
    assert clients["from"] == [
        {"podSelector": {"matchLabels": {"app": "web"}}},
        {
            "podSelector": {"matchLabels": {"app": "cart"}},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
        },
    ]
    assert monitoring["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]
    assert [rule["ports"][0]["port"] for rule in spec["egress"]] == [53, 6379, 443]


@pytest.mark.parametrize(("replicas", "wanted"), [(0, False), (1, False), (2, True)])
def test_a_disruption_budget_comes_with_the_second_replica(
    tmp_path: Path, replicas: int, *, wanted: bool
) -> None:
    found = objects(project(tmp_path, entry(f'version: "v1"\nreplicas: {replicas}')))
    assert ("PodDisruptionBudget" in found) is wanted


def test_references_accelerators_and_placement(tmp_path: Path) -> None:
    text = MODEL.replace("limits: {cpu", 'limits: {nvidia.com/gpu: "1", cpu') + (
        "env:\n"
        '  LOG_LEVEL: "info"\n'
        "  TOKEN: {secretKeyRef: {name: s, key: k}}\n"
        "  MODE: {configMapKeyRef: {name: c, key: k}}\n"
        "envFrom: [{secret: s2}, {configMap: c2}]\n"
        "mounts: [{path: /s, secret: s3}, {path: /c, configMap: c3}]\n"
        "imagePullSecrets: [pull]\n"
        "nodeSelector: {pool: gpu}\n"
        "tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]\n"
        "rollout: {maxSurge: 1}\n"
    )
    spec = pod(objects(project(tmp_path, a=text))["Deployment"])
    (container,) = spec["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["env"][2:] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ]
    assert container["envFrom"] == [{"secretRef": {"name": "s2"}}, {"configMapRef": {"name": "c2"}}]
    assert [m["mountPath"] for m in container["volumeMounts"]] == ["/tmp", "/s", "/c"]
    assert spec["volumes"][1:] == [
        {"name": "mount-0", "secret": {"secretName": "s3"}},
        {"name": "mount-1", "configMap": {"name": "c3"}},
    ]
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert spec["nodeSelector"] == {"pool": "gpu"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_opting_out_is_explicit(tmp_path: Path) -> None:
    text = MODEL + (
        "security: {runAsNonRoot: false, runAsUser: 0, readOnlyRootFilesystem: false}\n"
        "network: {enabled: false}\nspread: {zones: false, nodes: false}\n"
        "shutdown: {preStopSleepSeconds: 0}\ndisruptionBudget: {enabled: false}\n"
    )
    found = objects(project(tmp_path, a=text))
    assert "PodDisruptionBudget" not in found
    spec = pod(found["Deployment"])
    assert spec["securityContext"]["runAsUser"] == 0
    assert spec["topologySpreadConstraints"] == []
    assert spec["containers"][0]["lifecycle"] == {}


def test_every_resource_has_the_explicit_provider_and_its_own_parent(tmp_path: Path) -> None:
    registered = record(project(tmp_path, entry(GOOD)), "test")
    types = [r.type for r in registered if r.type.startswith("ml-deployments:")]
    assert types == [
        f"ml-deployments:index:{name}"
        for name in (
            "Dashboards",
            "Isolation",
            "Model",
            "ModelServer",
            "ModelService",
            "MonitoringRules",
            "Stage",
        )
    ]
    objects_ = [r for r in registered if r.type.startswith("kubernetes:")]
    assert {r.provider.rpartition("::")[0].rpartition("::")[2] for r in objects_} == {"kubernetes"}


def test_a_named_context_reaches_the_provider(tmp_path: Path) -> None:
    stack = entry(GOOD) + "  ml-deployments:kubeContext: prod-eu\n"
    (provider,) = [r for r in record(project(tmp_path, stack), "test") if "providers" in r.type]
    assert provider.inputs["context"] == "prod-eu"
