"""A model with a Pod Security Standard of its own is in a namespace of its own, and everything about it follows."""

from pathlib import Path
from typing import Any

import pytest

from components.errors import Problem
from components.files.sources import Sources
from components.program import program
from components.stack import load_stack
from delivery.checking.check import check
from delivery.policies.findings import Violation, violations
from delivery.rendering.render import manifests
from tests.support.feature_stores import READS, stage
from tests.support.monitoring_stacks import INSTALLED, Manifest, of_kind, one
from tests.support.projects import GOOD_STACK, MODEL, entry, problems, project

OWN = "ml-test-a"
ROOT = MODEL + "podSecurity: baseline\nsecurity: {runAsNonRoot: false, runAsUser: 0}\n"
ENFORCE = "pod-security.kubernetes.io/enforce"
QUOTA = '  ml-deployments:quota: {pods: "20", limits.memory: 64Gi}\n'
TWO = GOOD_STACK + '    b: {version: "v1", replicas: 1}\n'


def apart(folder: Path, more: str = "", *, b: str = MODEL) -> list[Manifest]:
    """The objects of a stage with the model `a` in a namespace of its own, and `b` in the stage's."""
    return manifests(project(folder, TWO + more, a=ROOT, b=b), "test")


def levels(found: list[Manifest]) -> dict[str, str]:
    return {m["metadata"]["name"]: m["metadata"]["labels"][ENFORCE] for m in of_kind(found, "Namespace")}


def place(*labels: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": labels[0]}}}


def test_only_its_own_namespace_has_the_lower_standard(tmp_path: Path) -> None:
    found = apart(tmp_path)
    assert levels(found) == {"ml-test": "restricted", OWN: "baseline"}
    for manifest in found:
        if manifest["metadata"]["labels"].get("app.kubernetes.io/name") == "a" and "dashboard" not in str(
            manifest["metadata"]["name"]
        ):
            assert manifest["metadata"]["namespace"] == OWN
    assert one(found, "Deployment", "b")["metadata"]["namespace"] == "ml-test"


def test_its_level_is_the_files_whatever_the_stage_has(tmp_path: Path) -> None:
    """A change of the stage's level moves no model."""
    for level in ("restricted", "baseline", "privileged"):
        found = apart(tmp_path / level, f"  ml-deployments:podSecurity: {level}\n")
        assert levels(found) == {"ml-test": level, OWN: "baseline"}


def test_the_stack_file_names_it(tmp_path: Path) -> None:
    text = entry('version: "v1"\nreplicas: 1\npodSecurity: privileged\nnamespace: ml-rooted')
    assert levels(manifests(project(tmp_path, text), "test")) == {
        "ml-test": "restricted",
        "ml-rooted": "privileged",
    }


def test_each_namespace_is_closed_and_has_the_quota(tmp_path: Path) -> None:
    found = apart(tmp_path, QUOTA)
    for kind, name in (
        ("NetworkPolicy", "default-deny.ml-deployments"),
        ("ResourceQuota", "quota.ml-deployments"),
    ):
        alike = [m for m in of_kind(found, kind) if m["metadata"]["name"] == name]
        assert [m["metadata"]["namespace"] for m in alike] == ["ml-test", OWN]
        assert alike[0]["spec"] == alike[1]["spec"]


def test_a_namespace_that_is_not_owned_still_leaves_the_models_to_the_stage(tmp_path: Path) -> None:
    found = apart(tmp_path, "  ml-deployments:namespaceOwned: false\n")
    assert levels(found) == {OWN: "baseline"}
    denying = [m for m in of_kind(found, "NetworkPolicy") if m["spec"]["podSelector"] == {}]
    assert [m["metadata"]["namespace"] for m in denying] == [OWN]


def test_pods_that_files_name_are_the_stages(tmp_path: Path) -> None:
    network = """\
network:
  clients: [{labels: {app: web}}, {namespace: shop, labels: {app: cart}}]
  egress: [{pods: {labels: {app: cache}}, ports: [6379]}]
"""
    dns = "  ml-deployments:dns: [{pods: {labels: {app: dns}}}]\n"
    found = manifests(project(tmp_path, TWO + dns, a=ROOT + network, b=MODEL + network), "test")
    own, stages = (one(found, "NetworkPolicy", name)["spec"] for name in ("a", "b"))
    web, cart = own["ingress"][0]["from"]
    assert web == {"podSelector": {"matchLabels": {"app": "web"}}, **place("ml-test")}
    assert cart == stages["ingress"][0]["from"][1]
    assert [rule["to"][0] for rule in own["egress"]] == [
        {"podSelector": {"matchLabels": {"app": name}}, **place("ml-test")} for name in ("dns", "cache")
    ]
    assert "namespaceSelector" not in stages["ingress"][0]["from"][0]


def test_it_reads_features_from_the_stage(tmp_path: Path) -> None:
    found = manifests(stage(tmp_path, model=READS + "podSecurity: baseline\n"), "test")
    (reader,) = one(found, "NetworkPolicy", "feature-store")["spec"]["ingress"][0]["from"]
    assert reader["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "a"
    assert reader["namespaceSelector"] == place(OWN)["namespaceSelector"]
    (_, server) = one(found, "NetworkPolicy", "a")["spec"]["egress"]
    assert server["to"][0]["namespaceSelector"] == place("ml-test")["namespaceSelector"]
    (container,) = one(found, "Deployment", "a")["spec"]["template"]["spec"]["containers"]
    assert {"name": "FEATURE_STORE_URL", "value": "http://feature-store.ml-test.svc:6566"} in container["env"]


def test_monitoring_sees_it(tmp_path: Path) -> None:
    found = apart(tmp_path, INSTALLED)
    for part in ("prometheus", "kube-state-metrics"):
        for kind in ("Role", "RoleBinding"):
            places = {
                m["metadata"]["namespace"] for m in of_kind(found, kind) if m["metadata"]["name"] == part
            }
            assert {"ml-test", OWN} <= places
    prometheus = one(found, "Prometheus")["spec"]
    for kind in ("serviceMonitor", "rule", "scrapeConfig"):
        (expression,) = prometheus[f"{kind}NamespaceSelector"]["matchExpressions"]
        assert expression["values"] == ["ml-test", OWN, "watch"]
    (exporter,) = one(found, "Deployment", "kube-state-metrics")["spec"]["template"]["spec"]["containers"]
    assert f"--namespaces=ml-test,{OWN}" in exporter["args"]
    kept = one(found, "ScrapeConfig")["spec"]["metricRelabelings"][-1]
    assert kept["regex"] == f"ml-test|{OWN}"
    reached = one(found, "NetworkPolicy", "prometheus")["spec"]["egress"]
    assert {"to": [place(OWN)]} in reached
    (rules,) = [m for m in of_kind(found, "PrometheusRule") if m["metadata"]["name"] == "a"]
    assert rules["metadata"]["namespace"] == OWN
    labels = [
        rule["labels"]["namespace"]
        for group in rules["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert set(labels) == {OWN}
    assert 'namespace="ml-test"' not in str(rules)
    fleet, shown = (
        "".join(one(found, "ConfigMap", name)["data"].values()) for name in ("dashboard-fleet", "a-dashboard")
    )
    assert f'namespace=~\\"ml-test|{OWN}\\"' in fleet
    assert 'namespace=\\"ml-test\\"' not in fleet + shown


def test_its_address_is_in_its_own_namespace(tmp_path: Path) -> None:
    settings = load_stack(Sources.of(project(tmp_path, a=ROOT)), "test").settings
    outputs = program(settings).outputs
    assert outputs["models"]["a"]["url"] == f"http://a.{OWN}.svc:8080"
    assert outputs["namespaces"] == ["ml-test", OWN]


def violated(folder: Path, more: str = "") -> list[Violation]:
    path = project(folder, GOOD_STACK + more, a=ROOT)
    return [
        each
        for each in violations(path, load_stack(Sources.of(path), "test").settings, manifests(path, "test"))
        if each.level == "mandatory"
    ]


def test_the_policies_find_the_level_and_the_pod_and_name_both(tmp_path: Path) -> None:
    found = violated(tmp_path)
    assert {(each.policy, each.object) for each in found} == {
        ("restricted-pods", f"Namespace {OWN}"),
        ("restricted-pods", f"Deployment {OWN}/a"),
    }
    exceptions = f"""\
  ml-deployments:policy:
    exceptions:
      - {{policy: restricted-pods, name: a, reason: its server starts as root, until: "2099-12-31"}}
      - {{policy: restricted-pods, name: {OWN}, reason: its server starts as root, until: "2099-12-31"}}
"""
    assert violated(tmp_path / "excepted", exceptions) == []


def test_what_guards_models_guards_it_too(tmp_path: Path) -> None:
    text = ROOT + "network: {egress: [{cidr: 0.0.0.0/0, ports: [443]}]}\n"
    text = text.replace("security: {", "security: {mountServiceAccountToken: true, ")
    path = project(tmp_path, GOOD_STACK + "  ml-deployments:policy: {highAvailability: true}\n", a=text)
    settings = load_stack(Sources.of(path), "test").settings
    names = {each.policy for each in violations(path, settings, manifests(path, "test"))}
    assert {"open-egress", "service-account-token"} <= names


@pytest.mark.parametrize(
    ("stack", "model", "field", "said"),
    [
        (
            entry('version: "v1"\nreplicas: 1\nnamespace: ml-own'),
            MODEL,
            "config.ml-deployments:models.a.namespace",
            "has no effect without podSecurity",
        ),
        (
            entry('version: "v1"\nreplicas: 1\nnamespace: kube-system\npodSecurity: baseline'),
            MODEL,
            "config.ml-deployments:models.a.namespace",
            "belongs to Kubernetes",
        ),
        (
            entry('version: "v1"\nreplicas: 1\nnamespace: ml-test\npodSecurity: baseline'),
            MODEL,
            "config.ml-deployments:models.a.namespace",
            "is the stage's namespace",
        ),
        (
            entry('version: "v1"\nreplicas: 1\nnamespace: monitoring\npodSecurity: baseline'),
            MODEL,
            "config.ml-deployments:models.a.namespace",
            "is monitoring.namespace",
        ),
        (
            GOOD_STACK.replace("namespace: ml-test", f"namespace: {'m' * 62}"),
            ROOT,
            "podSecurity",
            "has 64 characters, more than 63",
        ),
        (GOOD_STACK, MODEL + "namespace: ml-own\n", "namespace", "belongs to a stage"),
        (GOOD_STACK, MODEL + "podSecurity: strict\n", "podSecurity", "baseline"),
    ],
)
def test_a_namespace_that_cannot_be_its_own_is_one_problem(
    tmp_path: Path, stack: str, model: str, field: str, said: str
) -> None:
    (found,) = problems(project(tmp_path, stack, a=model))
    assert found.field == field
    assert said in str(found)
    assert found.line is not None


def test_a_default_name_of_a_controller_is_refused(tmp_path: Path) -> None:
    stack = GOOD_STACK.replace("namespace: ml-test", "namespace: flux").replace("    a:", "    system:")
    (found,) = problems(project(tmp_path, stack, system=ROOT))
    assert (found.file, found.field) == ("models/system.yaml", "podSecurity")
    assert "into the namespace flux-system, which belongs to Flux" in found.reason


def test_two_models_do_not_share_one(tmp_path: Path) -> None:
    stack = TWO.replace("replicas: 1}", f"replicas: 1, podSecurity: baseline, namespace: {OWN}}}")
    (found,) = problems(project(tmp_path, stack, a=ROOT, b=MODEL))
    assert found.field == "config.ml-deployments:models.b.namespace"
    assert "is the namespace of a" in found.reason


def test_two_stages_do_not_share_one(tmp_path: Path) -> None:
    path = project(tmp_path, a=ROOT)
    (path / "Pulumi.other.yaml").write_text(GOOD_STACK.replace("ml-test", OWN).replace("a:\n", "b:\n"))
    (path / "models" / "b.yaml").write_text(MODEL)
    (found,) = check(path).problems
    assert isinstance(found, Problem)
    assert OWN in str(found)
    assert "belongs to the stage" in found.reason


def test_check_says_where_it_is_and_what_must_be_there(tmp_path: Path) -> None:
    text = (
        ROOT
        + """\
env:
  TOKEN: {secretKeyRef: {name: tokens, key: api}}
  MODE: {configMapKeyRef: {name: modes, key: mode}}
envFrom: [{secret: more}]
mounts: [{path: /labels, configMap: labels}, {path: /tokens, secret: tokens}]
imagePullSecrets: [registry]
"""
    )
    named = "network: {clients: [{labels: {app.kubernetes.io/name: a}}]}\n"
    report = check(project(tmp_path, TWO, a=text, b=MODEL + named))
    assert report.problems == ()
    assert [row[1] for row in report.rows()] == [OWN, "ml-test"]
    said = (
        "test: a is in a namespace of its own: ml-test-a; its pods read Secret tokens, ConfigMap modes, Secret more, "
        "ConfigMap labels, Secret registry there, and not in ml-test"
    )
    assert said in report.notes()
    assert f"test: b names pods of a without their namespace: write namespace: {OWN} next to labels" in (
        report.notes()
    )
