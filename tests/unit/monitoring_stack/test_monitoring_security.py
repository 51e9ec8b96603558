"""The monitoring stack is hardened, contains no secret, and reads no more than it must."""

import json
from pathlib import Path

from tests.support.monitoring_stacks import (
    RECEIVERS,
    Manifest,
    of_kind,
    one,
    stack_of,
)


def test_every_pod_is_hardened(installed: list[Manifest]) -> None:
    deployments = [m for m in of_kind(installed, "Deployment") if m["metadata"]["namespace"] == "watch"]
    assert {m["metadata"]["name"] for m in deployments} == {"grafana", "kube-state-metrics"}
    for deployment in deployments:
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
        assert container["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}
        assert container["resources"]["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}
        assert container["livenessProbe"]
        assert container["readinessProbe"]
    for kind in ("Prometheus", "Alertmanager"):
        spec = one(installed, kind)["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}


def test_only_pods_that_use_the_api_have_a_token(installed: list[Manifest]) -> None:
    accounts = [m for m in of_kind(installed, "ServiceAccount") if m["metadata"]["namespace"] == "watch"]
    assert {m["automountServiceAccountToken"] for m in accounts} == {False}
    assert len(accounts) == 4
    mounted = {
        m["metadata"]["name"]: m["spec"]["template"]["spec"]["automountServiceAccountToken"]
        for m in of_kind(installed, "Deployment")
    }
    assert mounted == {"a": False, "grafana": False, "kube-state-metrics": True}
    assert one(installed, "Prometheus")["spec"]["automountServiceAccountToken"] is True
    assert one(installed, "Alertmanager")["spec"]["automountServiceAccountToken"] is False


def test_images_are_pinned(installed: list[Manifest]) -> None:
    pinned = [one(installed, kind)["spec"]["image"] for kind in ("Prometheus", "Alertmanager")]
    for deployment in of_kind(installed, "Deployment"):
        pinned += [c["image"] for c in deployment["spec"]["template"]["spec"]["containers"]]
    assert len(pinned) == 5
    for image in pinned:
        assert image.rpartition(":")[2].removeprefix("v")[0].isdigit()
    for kind in ("Prometheus", "Alertmanager"):
        spec = one(installed, kind)["spec"]
        assert spec["image"].endswith(f":{spec['version']}")


def test_no_password_and_no_secret_anywhere(tmp_path: Path) -> None:
    found = stack_of(tmp_path, RECEIVERS)
    assert not of_kind(found, "Secret")
    text = json.dumps(found).lower()
    for word in ("password", "admin_user", 'credentials"', "basicauth"):
        assert word not in text
    (container,) = one(found, "Deployment", "grafana")["spec"]["template"]["spec"]["containers"]
    env = {e["name"]: e["value"] for e in container["env"]}
    assert env["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert env["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert env["GF_AUTH_BASIC_ENABLED"] == "false"
    assert env["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_access_is_reading_alone_and_the_stages_alone(installed: list[Manifest]) -> None:
    roles = of_kind(installed, "Role")
    assert {(m["metadata"]["namespace"], m["metadata"]["name"]) for m in roles} == {
        ("ml-test", "kube-state-metrics"),
        ("ml-test", "prometheus"),
        ("watch", "prometheus"),
    }
    rules = [
        rule for kind in ("Role", "ClusterRole") for m in of_kind(installed, kind) for rule in m["rules"]
    ]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    asked = {resource for rule in rules for resource in rule["resources"]}
    assert asked.isdisjoint({"*", "secrets", "configmaps", "nodes/proxy"})
    (cluster,) = of_kind(installed, "ClusterRole")
    assert {resource for rule in cluster["rules"] for resource in rule["resources"]} == {
        "nodes",
        "nodes/metrics",
    }


def test_bindings_name_their_role_and_an_account_that_there_is(installed: list[Manifest]) -> None:
    accounts = {
        (m["metadata"]["namespace"], m["metadata"]["name"]) for m in of_kind(installed, "ServiceAccount")
    }
    bindings = [*of_kind(installed, "RoleBinding"), *of_kind(installed, "ClusterRoleBinding")]
    assert len(bindings) == 4
    for binding in bindings:
        (subject,) = binding["subjects"]
        assert (subject["namespace"], subject["name"]) in accounts
        role = one_of(installed, binding["roleRef"], binding["metadata"].get("namespace"))
        assert role["rules"]


def one_of(found: list[Manifest], reference: dict[str, str], namespace: str | None) -> Manifest:
    (manifest,) = [
        m
        for m in of_kind(found, reference["kind"])
        if m["metadata"]["name"] == reference["name"] and m["metadata"].get("namespace") == namespace
    ]
    return manifest


def allowed(found: list[Manifest], target: dict[str, str]) -> set[tuple[str, str, int]]:
    """Who reaches a pod of the monitoring namespace: name, protocol, port."""
    result = set()
    for policy in of_kind(found, "NetworkPolicy"):
        spec = policy["spec"]
        selector = spec["podSelector"].get("matchLabels", {})
        if policy["metadata"]["namespace"] != "watch" or not selector.items() <= target.items():
            continue
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        result |= {
            (peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"], port["protocol"], port["port"])
            for rule in spec.get("ingress", [])
            for peer in rule["from"]
            for port in rule["ports"]
        }
    return result


def test_only_its_own_parts_reach_it(installed: list[Manifest]) -> None:
    def operated(name: str) -> dict[str, str]:
        return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}

    def template_labels(name: str) -> dict[str, str]:
        labels: dict[str, str] = one(installed, "Deployment", name)["spec"]["template"]["metadata"]["labels"]
        return labels

    assert one(installed, "NetworkPolicy", "default-deny")["spec"]["podSelector"] == {}
    assert allowed(installed, operated("prometheus")) == {("grafana", "TCP", 9090)}
    assert allowed(installed, operated("alertmanager")) == {
        ("prometheus", "TCP", 9093),
        ("alertmanager", "TCP", 9094),
        ("alertmanager", "UDP", 9094),
    }
    assert allowed(installed, template_labels("kube-state-metrics")) == {("prometheus", "TCP", 8080)}
    assert allowed(installed, template_labels("grafana")) == set()


def reached(found: list[Manifest], part: str) -> list[tuple[str, list[int]]]:
    """Whom a part of the monitoring stack reaches, and at which ports; none: at all of them."""
    result = []
    for rule in one(found, "NetworkPolicy", part)["spec"]["egress"]:
        (to,) = rule.get("to", [{}])
        selectors = [to[key]["matchLabels"] for key in ("podSelector", "namespaceSelector") if key in to]
        name = next(iter(selectors[0].values())) if selectors else to.get("ipBlock", {}).get("cidr", "any")
        result.append((name, [port["port"] for port in rule.get("ports", [])]))
    return result


def test_its_parts_reach_what_they_need(tmp_path: Path) -> None:
    without = stack_of(tmp_path / "without")
    dns, api_server = ("kube-dns", [53, 53]), ("any", [443, 6443])
    assert reached(without, "grafana") == [dns, ("prometheus", [9090])]
    assert reached(without, "kube-state-metrics") == [dns, api_server]
    assert reached(without, "prometheus") == [
        dns,
        api_server,
        ("any", [10250]),
        ("ml-test", []),
        ("kube-state-metrics", [8080]),
        ("alertmanager", [9093]),
    ]
    # Without receivers it notifies no one outside.
    assert reached(without, "alertmanager") == [dns, ("alertmanager", [9094, 9094])]
    with_receivers = stack_of(tmp_path / "with", RECEIVERS)
    (everything,) = one(with_receivers, "NetworkPolicy", "alertmanager")["spec"]["egress"][2:]
    assert everything.keys() == {"to"}
    pods, *blocks = everything["to"]
    assert pods == {"namespaceSelector": {}}
    assert {block["ipBlock"]["cidr"]: block["ipBlock"]["except"][0] for block in blocks} == {
        "0.0.0.0/0": "169.254.169.254/32",
        "::/0": "fd00:ec2::254/128",
    }


def test_addresses_that_the_stack_file_knows_are_the_only_ones(tmp_path: Path) -> None:
    named = RECEIVERS + (
        "      network:\n"
        "        apiServer: [{cidr: 10.0.0.1/32, ports: [16443]}]\n"
        "        nodes: [{cidr: 10.1.0.0/16, ports: [10250]}]\n"
        "        receivers: [{pods: {namespace: relay, labels: {app: relay}}, ports: [9999]}]\n"
    )
    found = stack_of(tmp_path, named)
    places = {
        place
        for part in ("prometheus", "alertmanager", "kube-state-metrics")
        for place in reached_by(found, part)
    }
    assert "any" not in places
    assert {"10.0.0.1/32", "10.1.0.0/16", "relay"} <= places


def reached_by(found: list[Manifest], part: str) -> set[str]:
    return {place for place, _ in reached(found, part)}


def test_what_has_several_replicas_keeps_one_through_a_drain(installed: list[Manifest]) -> None:
    budgets = {m["metadata"]["name"]: m for m in of_kind(installed, "PodDisruptionBudget")}
    assert budgets.keys() == {"a", "prometheus", "alertmanager"}
    for kind in ("Prometheus", "Alertmanager"):
        manifest = one(installed, kind)
        assert manifest["spec"]["replicas"] == 2
        spec = budgets[manifest["metadata"]["name"]]["spec"]
        assert spec["maxUnavailable"] == 1
        assert spec["selector"]["matchLabels"]["app.kubernetes.io/instance"] == manifest["metadata"]["name"]
