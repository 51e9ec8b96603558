"""Every rule over plain manifests: good ones pass, and each field that is dropped or spoilt is found."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from components.policy_settings import PolicyException, PolicyName
from delivery.render import manifests
from policy.rules.catalogue import POLICIES, in_object, in_stage
from policy.rules.stage import StageRules
from policy.rules.violation import Level, Violation
from tests.unit.monitoring_stacks import Manifest, of_kind, one
from tests.unit.projects import MODEL, entry, project

DIGEST = "sha256:" + "0" * 64
RULES = StageRules(
    stage="test",
    namespace="ml-test",
    namespaces=frozenset({"ml-test", "watch"}),
    high_availability=True,
    require_digest=True,
)
Spoil = Callable[[Manifest], Any]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """A stage with a monitoring stack and one pinned model."""
    stack = entry(f'version: "v1"\nreplicas: 2\ndigest: "{DIGEST}"')
    stack += "  ml-deployments:monitoring: {namespace: watch, delivery: operator, stack: {install: true}}\n"
    model = MODEL + "env: {API_TOKEN: {secretKeyRef: {name: tokens, key: api}}, MAX_TOKENS: '5'}\n"
    return manifests(project(tmp_path_factory.mktemp("policies"), stack, a=model), "test")


def found(objects: list[Manifest], rules: StageRules = RULES) -> list[Violation]:
    return [
        violation
        for policy in POLICIES
        for violation in (
            *(v for manifest in objects for v in in_object(policy, manifest, rules)),
            *in_stage(policy, objects, rules),
        )
    ]


def pod(manifest: Manifest) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def server(manifest: Manifest) -> dict[str, Any]:
    container: dict[str, Any] = pod(manifest)["containers"][0]
    return container


def test_a_good_stage_violates_nothing(objects: list[Manifest]) -> None:
    assert found(objects) == []


# What is done to the model's Deployment, the policy that finds it, and a part of what it says.
DEPLOYMENT: list[tuple[Spoil, str, str]] = [
    (lambda m: server(m).update(image="r.example.com:5000/a:latest"), "image-tag", "has the tag latest"),
    (lambda m: server(m).update(image="r.example.com:5000/a"), "image-tag", "has no tag"),
    (lambda m: server(m).update(image="r.example.com:5000/a:v1"), "image-digest", "not pinned"),
    (lambda m: m["metadata"]["labels"].pop("ml-deployments/owner"), "owner", "the object has no label"),
    (
        lambda m: m["spec"]["template"]["metadata"]["labels"].pop("ml-deployments/owner"),
        "owner",
        "its pods' template has no label",
    ),
    (lambda m: server(m).pop("resources"), "resources", "lacks resources.requests.cpu, "),
    (lambda m: server(m)["resources"]["requests"].pop("cpu"), "resources", "lacks resources.requests.cpu"),
    (lambda m: server(m)["resources"]["requests"].pop("memory"), "resources", "requests.memory"),
    (lambda m: server(m)["resources"]["limits"].pop("memory"), "resources", "limits.memory"),
    (
        lambda m: pod(m).update(initContainers=[{**server(m), "name": "init", "resources": {}}]),
        "resources",
        "container init lacks",
    ),
    (lambda m: m["metadata"].pop("namespace"), "own-namespaces", "is in no namespace"),
    (lambda m: m["metadata"].update(namespace="other"), "own-namespaces", "is outside"),
    (
        lambda m: server(m)["env"].append({"name": "DB_PASSWORD", "value": "x"}),
        "secret-in-environment",
        "the variable DB_PASSWORD of container server",
    ),
    (lambda m: m["spec"].update(replicas=1), "replicas", "has 1 replica"),
    (lambda m: m["spec"].pop("replicas"), "replicas", "has 1 replica"),
    (lambda m: m["spec"].update(replicas=0), "replicas", "is stopped"),
]


@pytest.mark.parametrize(("spoil", "policy", "message"), DEPLOYMENT)
def test_a_spoilt_deployment_is_found(
    objects: list[Manifest], spoil: Spoil, policy: str, message: str
) -> None:
    changed = deepcopy(objects)
    spoil(one(changed, "Deployment", "a"))

    violations = [v for v in found(changed) if v.policy == policy]

    assert len(violations) == 1
    assert violations[0].object.startswith("Deployment ")
    assert message in violations[0].message
    assert violations[0].fix


def budget(objects: list[Manifest]) -> Manifest:
    return one(objects, "PodDisruptionBudget", "a")


BUDGETS: list[Callable[[list[Manifest]], Any]] = [
    lambda objects: objects.remove(budget(objects)),
    lambda objects: budget(objects)["metadata"].update(namespace="watch"),
    lambda objects: budget(objects)["spec"]["selector"]["matchLabels"].update(other="label"),
    lambda objects: budget(objects)["spec"].pop("selector"),
    lambda objects: budget(objects)["spec"]["selector"].update(
        matchExpressions=[{"key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["a"]}]
    ),
    lambda objects: budget(objects)["spec"]["selector"].update(
        matchExpressions=[{"key": "app.kubernetes.io/name", "operator": "DoesNotExist"}]
    ),
]


@pytest.mark.parametrize("spoil", BUDGETS)
def test_a_model_without_a_budget_of_its_own_is_found(
    objects: list[Manifest], spoil: Callable[[list[Manifest]], Any]
) -> None:
    changed = deepcopy(objects)
    spoil(changed)

    assert [(v.policy, v.object) for v in found(changed)] == [("disruption-budget", "Deployment ml-test/a")]


def test_a_budget_may_select_by_expressions(objects: list[Manifest]) -> None:
    changed = deepcopy(objects)
    budget(changed)["spec"]["selector"] = {
        "matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "In", "values": ["a", "b"]},
            {"key": "app.kubernetes.io/component", "operator": "Exists"},
        ]
    }

    assert found(changed) == []


# The stage's other objects: what is added or changed.
OTHERS: list[tuple[Callable[[list[Manifest]], Any], str, str]] = [
    (
        lambda objects: objects.append(secret(data={"key": "dmFsdWU="})),
        "no-plain-secrets",
        "Secret ml-test/s",
    ),
    (
        lambda objects: objects.append(secret(stringData={"key": "value"})),
        "no-plain-secrets",
        "Secret ml-test/s",
    ),
    (
        lambda objects: one(objects, "Namespace", "ml-test")["metadata"].update(name="other"),
        "own-namespaces",
        "Namespace other",
    ),
    (
        lambda objects: one(objects, "ClusterRole")["metadata"].update(name="prometheus"),
        "own-namespaces",
        "ClusterRole prometheus",
    ),
    (
        lambda objects: one(objects, "Namespace", "watch")["metadata"]["labels"].pop(
            "pod-security.kubernetes.io/enforce"
        ),
        "restricted-pods",
        "Namespace watch",
    ),
    (
        lambda objects: one(objects, "Prometheus")["spec"].update(image="prometheus:latest"),
        "image-tag",
        "Prometheus watch/prometheus",
    ),
    (
        lambda objects: one(objects, "Prometheus")["spec"].pop("resources"),
        "resources",
        "Prometheus watch/prometheus",
    ),
    (
        lambda objects: one(objects, "Alertmanager")["spec"].pop("securityContext"),
        "restricted-pods",
        "Alertmanager watch/alertmanager",
    ),
    (
        lambda objects: one(objects, "Prometheus")["spec"].update(hostNetwork=True),
        "restricted-pods",
        "Prometheus watch/prometheus",
    ),
    (
        lambda objects: one(objects, "Prometheus")["spec"].update(
            containers=[{"name": "prometheus", "securityContext": {"privileged": True}}]
        ),
        "restricted-pods",
        "Prometheus watch/prometheus",
    ),
    (
        lambda objects: one(objects, "Prometheus")["spec"].update(
            containers=[{"name": "prometheus", "securityContext": {"allowPrivilegeEscalation": True}}]
        ),
        "restricted-pods",
        "Prometheus watch/prometheus",
    ),
]


def secret(**content: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "ml-test"},
        **content,
    }


@pytest.mark.parametrize(("spoil", "policy", "what"), OTHERS)
def test_another_spoilt_object_is_found(
    objects: list[Manifest], spoil: Callable[[list[Manifest]], Any], policy: str, what: str
) -> None:
    changed = deepcopy(objects)
    spoil(changed)

    assert {(v.policy, v.object) for v in found(changed)} == {(policy, what)}


@pytest.mark.parametrize(
    "manifest",
    [
        secret(),
        {**secret(), "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "spec": {}},
    ],
)
def test_what_only_describes_a_secret_passes(manifest: Manifest) -> None:
    assert found([manifest]) == []


def test_a_stage_that_asks_for_less_is_given_less(objects: list[Manifest]) -> None:
    changed = deepcopy(objects)
    deployment = one(changed, "Deployment", "a")
    deployment["spec"]["replicas"] = 1
    server(deployment)["image"] = "registry.example.com/a:v1"
    changed.remove(budget(changed))
    asks_less = StageRules(stage="test", namespace="ml-test", namespaces=RULES.namespaces)

    assert {v.policy for v in found(changed)} == {"replicas", "image-digest"}
    assert found(changed, asks_less) == []


def test_the_monitoring_stack_needs_no_digest_no_owner_and_no_second_grafana(
    objects: list[Manifest],
) -> None:
    grafana = one(objects, "Deployment", "grafana")

    assert grafana["spec"]["replicas"] == 1
    assert "@" not in server(grafana)["image"]
    assert found([grafana]) == []


def test_an_exception_makes_one_policy_of_one_object_advice(objects: list[Manifest]) -> None:
    changed = deepcopy(objects)
    deployment = one(changed, "Deployment", "a")
    deployment["spec"]["replicas"] = 1
    pod(deployment)["hostNetwork"] = True
    exception = PolicyException(policy=PolicyName.REPLICAS, name="a", reason="a batch job")
    rules = StageRules(**{**vars(RULES), "exceptions": (exception,)})

    levels = {v.policy: v for v in found(changed, rules)}

    assert levels["restricted-pods"].level is Level.MANDATORY
    assert levels["replicas"].level is Level.ADVISORY
    assert levels["replicas"].message.endswith("(let pass: a batch job)")


def test_every_kind_that_makes_pods_is_looked_at(objects: list[Manifest]) -> None:
    deployment = one(objects, "Deployment", "a")
    template = deepcopy(deployment["spec"]["template"])
    template["spec"]["hostPID"] = True
    metadata = deployment["metadata"]
    made = [
        *(
            {"kind": kind, "metadata": metadata, "spec": {"replicas": 2, "template": template}}
            for kind in ("StatefulSet", "DaemonSet", "ReplicaSet", "Job")
        ),
        {
            "kind": "CronJob",
            "metadata": metadata,
            "spec": {"jobTemplate": {"spec": {"template": template}}},
        },
        {
            "kind": "Pod",
            "metadata": {**metadata, "labels": template["metadata"]["labels"]},
            "spec": template["spec"],
        },
    ]

    for manifest in made:
        violations = found([{"apiVersion": "any/v1", **manifest}, budget(objects)])
        assert [v.message for v in violations] == ["the pod must not set hostPID"], manifest["kind"]


def test_the_catalogue_has_each_policy_once() -> None:
    assert sorted(policy.name for policy in POLICIES) == sorted(PolicyName)


def test_fixtures_have_every_kind(objects: list[Manifest]) -> None:
    """Otherwise the good stage would prove little."""
    for kind in ("Prometheus", "Alertmanager", "ClusterRole", "Deployment", "PodDisruptionBudget"):
        assert of_kind(objects, kind)
