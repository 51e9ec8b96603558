"""Roles that grant everything or lead to more, bindings to everyone, and tokens for models."""

from copy import deepcopy
from typing import Any

import pytest

from tests.support.monitoring_stacks import Manifest, of_kind, one
from tests.support.ruled import found, pod

GET: dict[str, Any] = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


def spoilt(objects: list[Manifest], kind: str, **fields: Any) -> list[Manifest]:
    changed = deepcopy(objects)
    of_kind(changed, kind)[0].update(fields)
    return changed


@pytest.mark.parametrize("kind", ["ClusterRole", "Role"])
@pytest.mark.parametrize(
    "rule",
    [
        {**GET, "verbs": ["*"]},
        {**GET, "resources": ["*"]},
        {**GET, "apiGroups": ["*"]},
        {**GET, "resources": ["pods/*"]},
        {**GET, "resources": ["*/scale"]},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
        {"nonResourceURLs": ["/debug/*"], "verbs": ["get"]},
        {**GET, "verbs": ["get", "impersonate"]},
        {**GET, "resources": ["clusterroles"], "verbs": ["bind"]},
        {**GET, "resources": ["roles"], "verbs": ["escalate"]},
        {**GET, "resources": ["nodes/proxy"]},
        {**GET, "resources": ["pods/exec"], "verbs": ["create"]},
        {**GET, "resources": ["serviceaccounts/token"], "verbs": ["create"]},
    ],
)
def test_a_role_that_grants_too_much_is_found(
    ruled_objects: list[Manifest], kind: str, rule: dict[str, Any]
) -> None:
    (violation,) = found(spoilt(ruled_objects, kind, rules=[GET, rule]))

    assert violation.policy == "access-rights"
    assert violation.problem.reason.startswith("grants ")


def test_a_role_of_other_roles_is_found(ruled_objects: list[Manifest]) -> None:
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"any": "thing"}}]}
    (violation,) = found(spoilt(ruled_objects, "ClusterRole", aggregationRule=selectors))
    assert violation.policy == "access-rights"


@pytest.mark.parametrize("kind", ["ClusterRoleBinding", "RoleBinding"])
@pytest.mark.parametrize("role", ["cluster-admin", "admin", "edit", "system:node"])
def test_a_broad_role_is_found(ruled_objects: list[Manifest], kind: str, role: str) -> None:
    (violation,) = found(spoilt(ruled_objects, kind, roleRef={"kind": "ClusterRole", "name": role}))
    assert violation.problem.reason == f"grants the ClusterRole {role}"


@pytest.mark.parametrize(
    "name",
    ["system:authenticated", "system:unauthenticated", "system:masters", "system:serviceaccounts:ml-test"],
)
def test_a_binding_to_everyone_is_found(ruled_objects: list[Manifest], name: str) -> None:
    (violation,) = found(spoilt(ruled_objects, "RoleBinding", subjects=[{"kind": "Group", "name": name}]))
    assert violation.problem.reason == f"grants its role to {name}"


def test_a_listed_right_passes(ruled_objects: list[Manifest]) -> None:
    assert found(spoilt(ruled_objects, "ClusterRole", rules=[GET])) == []


@pytest.mark.parametrize("mounted", [True, None])
def test_a_token_of_a_model_is_found(ruled_objects: list[Manifest], mounted: bool | None) -> None:
    changed = deepcopy(ruled_objects)
    pod(one(changed, "Deployment", "a"))["automountServiceAccountToken"] = mounted

    (violation,) = found(changed)

    assert violation.policy == "service-account-token"
    assert "mountServiceAccountToken: false" in violation.problem.fix


def test_a_token_in_a_volume_of_a_model_is_found(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    projected = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
    pod(one(changed, "Deployment", "a"))["volumes"].append({"name": "t", "projected": projected})

    (violation,) = found(changed)

    assert violation.problem.reason == "the volume t holds a token of the ServiceAccount"
