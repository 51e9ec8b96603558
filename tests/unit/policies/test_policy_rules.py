"""Every rule over plain manifests: good ones pass, and each field that is dropped or wrong is found."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from components.settings.policy import PolicyName
from delivery.policies.catalogue import POLICIES
from delivery.policies.exceptions import Exemption
from delivery.policies.stage import StageRules
from delivery.policies.violation import Level
from tests.support.monitoring_stacks import Manifest, of_kind, one
from tests.support.ruled import RULES, budget, found, pod, server

Spoil = Callable[[Manifest], Any]


def test_a_good_stage_violates_nothing(ruled_objects: list[Manifest]) -> None:
    assert found(ruled_objects) == []


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
        lambda m: server(m)["resources"]["limits"].pop("ephemeral-storage"),
        "ephemeral-storage",
        "container server may fill its node's disk",
    ),
    (
        lambda m: pod(m).update(initContainers=[{**server(m), "name": "init", "resources": {}}]),
        "resources",
        "container init lacks",
    ),
    (lambda m: m["metadata"].pop("namespace"), "own-namespaces", "is not in a namespace"),
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
def test_a_broken_deployment_is_found(
    ruled_objects: list[Manifest], spoil: Spoil, policy: str, message: str
) -> None:
    changed = deepcopy(ruled_objects)
    spoil(one(changed, "Deployment", "a"))

    violations = [v for v in found(changed) if v.policy == policy]

    assert len(violations) == 1
    assert violations[0].object.startswith("Deployment ")
    assert message in violations[0].problem.reason
    assert violations[0].problem.fix


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
        lambda objects: one(objects, "Prometheus")["spec"]["resources"].pop("requests"),
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
def test_another_broken_object_is_found(
    ruled_objects: list[Manifest], spoil: Callable[[list[Manifest]], Any], policy: str, what: str
) -> None:
    changed = deepcopy(ruled_objects)
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


def test_a_stage_that_asks_for_less_is_given_less(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    deployment = one(changed, "Deployment", "a")
    deployment["spec"]["replicas"] = 1
    server(deployment)["image"] = "registry.example.com/a:v1"
    changed.remove(budget(changed))
    asks_less = StageRules(stage="test", serving=frozenset({"ml-test"}), namespaces=RULES.namespaces)

    assert {v.policy for v in found(changed)} == {"replicas", "image-digest"}
    assert found(changed, asks_less) == []


def test_the_monitoring_stack_needs_no_digest_no_owner_and_no_second_grafana(
    ruled_objects: list[Manifest],
) -> None:
    grafana = one(ruled_objects, "Deployment", "grafana")

    assert grafana["spec"]["replicas"] == 1
    assert "@" not in server(grafana)["image"]
    assert found([grafana, *of_kind(ruled_objects, "NetworkPolicy")]) == []


def test_an_exception_makes_one_policy_of_one_object_advice(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    deployment = one(changed, "Deployment", "a")
    deployment["spec"]["replicas"] = 1
    pod(deployment)["hostNetwork"] = True
    rules = with_exception("a", ended=False)

    levels = {v.policy: v for v in found(changed, rules)}

    assert levels["restricted-pods"].level is Level.MANDATORY
    assert levels["replicas"].level is Level.ADVISORY
    assert levels["replicas"].problem.reason.endswith("(allowed until 2027-03-31: a batch job)")


def with_exception(name: str, *, ended: bool) -> StageRules:
    """The rules with an exception from `replicas`."""
    exception = Exemption(
        policy=PolicyName.REPLICAS, name=name, reason="a batch job", until=date(2027, 3, 31), ended=ended
    )
    return replace(RULES, exceptions=(exception,))


@pytest.mark.parametrize(("name", "level"), [("*", Level.ADVISORY), ("b", Level.MANDATORY)])
def test_an_exception_is_for_its_object_or_for_all(
    ruled_objects: list[Manifest], name: str, level: Level
) -> None:
    changed = deepcopy(ruled_objects)
    one(changed, "Deployment", "a")["spec"]["replicas"] = 1

    (violation,) = found(changed, with_exception(name, ended=False))

    assert violation.level is level


def test_an_exception_that_has_ended_allows_nothing_and_is_named(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    one(changed, "Deployment", "a")["spec"]["replicas"] = 1

    (violation,) = found(changed, with_exception("a", ended=True))

    assert violation.level is Level.MANDATORY
    assert violation.problem.reason.endswith("(its exception ended on 2027-03-31: a batch job)")


def test_every_kind_that_makes_pods_is_looked_at(ruled_objects: list[Manifest]) -> None:
    deployment = one(ruled_objects, "Deployment", "a")
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
        kept = (budget(ruled_objects), one(ruled_objects, "NetworkPolicy", "a"))
        violations = found([{"apiVersion": "any/v1", **manifest}, *kept])
        assert [v.problem.reason for v in violations] == ["the pod must not set hostPID"], manifest["kind"]


def test_the_catalogue_has_each_policy_once() -> None:
    assert sorted(policy.name for policy in POLICIES) == sorted(PolicyName)


def test_fixtures_have_every_kind(ruled_objects: list[Manifest]) -> None:
    """Otherwise the good stage would prove little."""
    for kind in ("Prometheus", "Alertmanager", "ClusterRole", "Deployment", "PodDisruptionBudget"):
        assert of_kind(ruled_objects, kind)
