"""Attacks by the controllers' accounts on a real API server: each of them is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.rendering.render import render
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.waiting import eventually
from tests.integration.pull.accounts import ACCOUNTS, STAGE, deployer

HERE, DEPLOYER = f"ml-{STAGE}", f"ml-deployments-{STAGE}-deployer"
MONITORING = f"ml-deployments-{STAGE}-prometheus"
POLICY = "ValidatingAdmissionPolicy"
RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
STANDARD = "pod-security.kubernetes.io/enforce"
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
# A rule that the account has itself, in the stage's namespace.
HELD = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}]
Command = tuple[str, ...]


def manifest(version: str, kind: str, name: str, namespace: str | None = None, **fields: Any) -> str:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, **fields})


def role(kind: str, name: str, rules: list[dict[str, Any]], **fields: Any) -> str:
    place = HERE if kind == "Role" else None
    return manifest(f"{RBAC}/v1", kind, name, place, rules=rules, **fields)


def binding(kind: str, name: str, to: tuple[str, str], subject: dict[str, str]) -> str:
    place = HERE if kind == "RoleBinding" else None
    reference = {"apiGroup": RBAC, "kind": to[0], "name": to[1]}
    return manifest(f"{RBAC}/v1", kind, name, place, roleRef=reference, subjects=[subject])


def account(name: str, namespace: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def service(**spec: Any) -> str:
    return manifest("v1", "Service", "attack", HERE, spec={"ports": [{"port": 80}], **spec})


OTHERS, ANYONE = (
    account("default", "default"),
    {"apiGroup": RBAC, "kind": "Group", "name": "system:authenticated"},
)
POD = {
    "hostPID": True,
    "containers": [
        {"name": "a", "image": "registry.example.com/a:1", "securityContext": {"privileged": True}}
    ],
}
# Commands with what they read, by what they attempt. Each is a dry run, which the server refuses like the change.
APPLIED = {
    "a ClusterRole with everything": role("ClusterRole", "attack", EVERYTHING),
    "a ClusterRole that collects others": role(
        "ClusterRole", MONITORING, [], aggregationRule={"clusterRoleSelectors": [{}]}
    ),
    "everything for the stage's ClusterRole": role("ClusterRole", MONITORING, EVERYTHING),
    "writing for the stage's ClusterRole": role(
        "ClusterRole", MONITORING, [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]}]
    ),
    "writing for the stage's Role": role("Role", "prometheus", HELD),
    "another Role": role("Role", "attack", HELD),
    "everything for its own Role": role("Role", DEPLOYER, EVERYTHING),
    "less in its own Role": role("Role", DEPLOYER, HELD),
    "cluster-admin": binding("ClusterRoleBinding", MONITORING, ("ClusterRole", "cluster-admin"), OTHERS),
    "admin in the stage": binding("RoleBinding", "prometheus", ("ClusterRole", "admin"), OTHERS),
    "its own Role for another's account": binding("RoleBinding", "attack", ("Role", DEPLOYER), OTHERS),
    "its own Role for an account of the stage": binding(
        "RoleBinding", "prometheus", ("Role", DEPLOYER), account("default", HERE)
    ),
    "its own ClusterRole for another's account": binding(
        "ClusterRoleBinding", "attack", ("ClusterRole", DEPLOYER), OTHERS
    ),
    "the stage's Role for another's account": binding(
        "RoleBinding", "prometheus", ("Role", "prometheus"), OTHERS
    ),
    "the stage's Role for everyone": binding("RoleBinding", "prometheus", ("Role", "prometheus"), ANYONE),
    "a pod on the node": manifest("v1", "Pod", "attack", HERE, spec=POD),
    "addresses of others": service(externalIPs=["203.0.113.7"]),
    "a load balancer": service(type="LoadBalancer"),
    "a Secret": manifest("v1", "Secret", "attack", HERE),
    "another policy": manifest(
        f"{ADMISSION}/v1", f"{POLICY}Binding", "attack", spec={"policyName": DEPLOYER}
    ),
}
COMMANDS: dict[str, Command] = {
    "the privileged standard": ("label", "namespace", HERE, f"{STANDARD}=privileged", "--overwrite"),
    "no standard": ("label", "namespace", HERE, f"{STANDARD}-"),
    "an old version of the standard": ("label", "namespace", HERE, f"{STANDARD}-version=v1.0"),
    "no stage": ("label", "namespace", HERE, "ml-deployments/stage-"),
    "a label of others": ("label", "namespace", HERE, "istio-injection=disabled"),
    "another project of a platform": (
        "annotate",
        "namespace",
        HERE,
        "field.cattle.io/projectId=p-2",
        "--overwrite",
    ),
    "no range of users": ("annotate", "namespace", HERE, "openshift.io/sa.scc.uid-range-"),
    "another namespace": ("create", "namespace", "attack"),
    "the namespace of another team": ("label", "namespace", "other-team", f"ml-deployments/stage={STAGE}"),
    "the end of another namespace": ("delete", "namespace", "other-team"),
    "the end of its own Role": ("delete", "role", DEPLOYER, f"--namespace={HERE}"),
    "the end of its own binding": ("delete", "rolebinding", DEPLOYER, f"--namespace={HERE}"),
    "the end of the policy": ("delete", POLICY, DEPLOYER),
    "the end of the policy's binding": ("delete", f"{POLICY}Binding", DEPLOYER),
}
READS: dict[str, Command] = {
    "Secrets of the stage": ("get", "secrets", f"--namespace={HERE}"),
    "Secrets of Kubernetes": ("get", "secrets", "--namespace=kube-system"),
    "another stage": ("get", "configmaps", "--namespace=default"),
    "a token of an account": ("create", "token", "default", f"--namespace={HERE}"),
}


@pytest.fixture(scope="module", params=list(ACCOUNTS))
def attacker(
    request: pytest.FixtureRequest, sandbox: Clone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The flag that makes kubectl the account, which has applied the stage.

    A platform has written its metadata on the stage's namespace, and another team has one.
    """
    folder = tmp_path_factory.mktemp("accounts")
    with deployer(sandbox, request.param, folder) as user:
        sandbox.run("kubectl", "create", "namespace", "other-team")
        try:
            render(CHECKOUT, STAGE, folder / STAGE)
            apply = ("apply", "--server-side", "--force-conflicts", f"--filename={folder / STAGE}")
            sandbox.run("kubectl", *apply, f"--as={user}")
            metadata = ("field.cattle.io/projectId=p-1", "openshift.io/sa.scc.uid-range=1000/1000")
            sandbox.run("kubectl", "annotate", "namespace", HERE, *metadata)
            yield f"--as={user}"
        finally:
            sandbox.run("kubectl", "delete", "namespace", "other-team", "--timeout=60s")
            cluster = f"--selector=ml-deployments/stage={STAGE}"
            sandbox.run("kubectl", "delete", "clusterrole,clusterrolebinding", cluster, "--ignore-not-found")


def refused(sandbox: Clone, *command: str) -> str:
    done = sandbox.run("kubectl", *command, check=False)
    assert done.returncode != 0, f"it succeeded: {done.stdout}"
    assert any(word in done.stderr for word in ("orbidden", "denied", "field is immutable")), done.stderr
    # A policy that cannot be evaluated refuses everything.
    assert "resulted in error" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize("what", APPLIED)
def test_it_cannot_apply(sandbox: Clone, attacker: str, what: str, tmp_path: Path) -> None:
    flags = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=false")
    refused(sandbox, "apply", *flags, written(tmp_path, APPLIED[what]), attacker)


def written(folder: Path, text: str) -> str:
    """The flag that makes kubectl read a text."""
    path = folder / "attack.yaml"
    path.write_text(text)
    return f"--filename={path}"


@pytest.mark.parametrize("what", COMMANDS)
def test_it_cannot_have(sandbox: Clone, attacker: str, what: str) -> None:
    refused(sandbox, *COMMANDS[what], "--dry-run=server", attacker)


@pytest.mark.parametrize("what", READS)
def test_it_cannot_read(sandbox: Clone, attacker: str, what: str) -> None:
    refused(sandbox, *READS[what], attacker)


def test_it_may_not_grant_or_become_more(sandbox: Clone, attacker: str) -> None:
    for verb, on in (("escalate", "roles"), ("bind", "clusterroles"), ("impersonate", "serviceaccounts")):
        done = sandbox.run("kubectl", "auth", "can-i", verb, on, f"--namespace={HERE}", attacker, check=False)
        assert done.stdout.strip() == "no", (verb, on)


def test_a_binding_that_it_deletes_comes_back_only_as_it_was(
    sandbox: Clone, attacker: str, tmp_path: Path
) -> None:
    """A binding's role cannot be changed, but a deleted binding could come back with another one."""
    where = f"--namespace={HERE}"
    before = sandbox.get("rolebinding", "prometheus", namespace=HERE)
    sandbox.run("kubectl", "delete", "rolebinding", "prometheus", where, attacker)
    own = binding(
        "RoleBinding", "prometheus", ("Role", DEPLOYER), account("prometheus", f"{HERE}-monitoring")
    )
    said = refused(sandbox, "create", written(tmp_path, own), attacker)
    assert "may only bind the stage's own roles" in said
    was = {key: before[key] for key in ("apiVersion", "kind", "roleRef", "subjects")}
    again = json.dumps({**was, "metadata": {"name": "prometheus", "namespace": HERE}})
    sandbox.run("kubectl", "create", written(tmp_path, again), attacker)


# The others impersonate always, or run as the account.
@pytest.mark.parametrize("attacker", ["argocd"], indirect=True)
@pytest.mark.usefixtures("attacker")
def test_argocd_itself_changes_nothing_of_the_stage(sandbox: Clone, tmp_path: Path) -> None:
    """As it would without impersonation: an account that may change the whole cluster."""
    itself = "system:serviceaccount:argocd:argocd-application-controller"
    admin = binding(
        "ClusterRoleBinding",
        "argocd",
        ("ClusterRole", "cluster-admin"),
        account(itself.rpartition(":")[2], "argocd"),
    )
    granted = written(tmp_path, admin)
    sandbox.run("kubectl", "apply", granted)
    try:
        changes = {
            "everything": role("ClusterRole", MONITORING, EVERYTHING),
            "an object": manifest("v1", "ConfigMap", "attack", HERE),
        }
        for change in changes.values():
            flags = ("--server-side", "--force-conflicts", f"--as={itself}")
            said = refused(sandbox, "apply", *flags, written(tmp_path, change))
            assert "application.sync.impersonation.enabled" in said
        refused(sandbox, *COMMANDS["the privileged standard"], f"--as={itself}")
        sandbox.run("kubectl", "create", "configmap", "free", "--namespace=default", f"--as={itself}")
    finally:
        sandbox.run("kubectl", "delete", "clusterrolebinding", "argocd")
        sandbox.run("kubectl", "delete", "configmap", "free", "--namespace=default", "--ignore-not-found")


def test_a_privileged_pod_does_not_run_in_the_stage(sandbox: Clone, attacker: str, tmp_path: Path) -> None:
    """Without a dry run: first the label that would allow it, then the pod through a Deployment."""
    said = refused(sandbox, *COMMANDS["the privileged standard"], attacker)
    assert "apply gitops/ again after they changed in git" in said
    labels = {"app": "attack"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": POD}}
    deployment = manifest("apps/v1", "Deployment", "attack", HERE, spec=spec)
    try:
        sandbox.run("kubectl", "apply", written(tmp_path, deployment), attacker)

        def conditions() -> str:
            found = sandbox.get("deployment", "attack", namespace=HERE)
            return json.dumps(found.get("status", {}).get("conditions", []))

        eventually(lambda: "violates PodSecurity" in conditions(), 60, "the pod is refused")
        assert sandbox.get("pods", selector="app=attack", namespace=HERE)["items"] == []
    finally:
        sandbox.run("kubectl", "delete", "deployment", "attack", f"--namespace={HERE}")
