"""The committed objects in gitops/, against the controllers' own definitions and a real API server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.rendering.render import render
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.waiting import eventually
from sandbox.tools.go_build import built_tools
from sandbox.tools.pins import ARGOCD, FLUX
from tests.integration.pull.accounts import ACCOUNTS, deployer
from tests.integration.pull.stack_types import Stack

STAGES = ("staging", "production")
CONTROLLERS = ("argocd", "flux-system", "pulumi-stacks")


def committed(controller: str, stage: str) -> Path:
    return CHECKOUT / "gitops" / controller / f"{stage}.yaml"


@contextmanager
def namespaces(sandbox: Clone, *names: str) -> Iterator[None]:
    for name in names:
        sandbox.run("kubectl", "create", "namespace", name)
    try:
        yield
    finally:
        sandbox.run("kubectl", "delete", "namespace", *names, "--ignore-not-found", "--timeout=120s")


@pytest.fixture(scope="module")
def definitions(sandbox: Clone) -> Iterator[None]:
    """The CRDs of Argo CD and Flux, as in their modules."""
    files = sorted((built_tools(ARGOCD) / "crds").glob("*-crd.yaml"))
    for name in FLUX.copies:
        files += sorted((built_tools(FLUX) / name).glob("*.yaml"))
    names = [f"--filename={path}" for path in files]
    sandbox.run("kubectl", "apply", "--server-side", "--force-conflicts", *names)
    try:
        kinds = "applications.argoproj.io,kustomizations.kustomize.toolkit.fluxcd.io"
        eventually(
            lambda: sandbox.run("kubectl", "get", kinds, check=False).returncode == 0,
            60,
            "the kinds are known",
        )
        yield
    finally:
        sandbox.run("kubectl", "delete", "--ignore-not-found", "--timeout=60s", *names)


@pytest.fixture
def controllers(sandbox: Clone) -> Iterator[None]:
    with namespaces(sandbox, *CONTROLLERS):
        yield


@pytest.mark.usefixtures("definitions", "controllers")
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("controller", ["argocd", "flux"])
def test_the_definitions_accept_the_objects(sandbox: Clone, controller: str, stage: str) -> None:
    with namespaces(sandbox, f"ml-{stage}", f"ml-{stage}-monitoring"):
        done = applied(sandbox, committed(controller, stage))
    count = len(list(yaml.safe_load_all(committed(controller, stage).read_text())))
    assert done.count("serverside-applied (server dry run)") == count


@pytest.mark.usefixtures("definitions", "controllers")
@pytest.mark.parametrize(
    ("controller", "old", "new"),
    [
        ("argocd", "selfHeal: true", "selfHeel: true"),
        ("argocd", "factor: 2", "factor: two"),
        ("flux", "wait: true", "wait: soon"),
        ("flux", "interval: 1m", "interval: often"),
        ("flux", "branch: rendered/staging", "brunch: rendered/staging"),
    ],
)
def test_the_definitions_refuse_a_mistake(
    sandbox: Clone, tmp_path: Path, controller: str, old: str, new: str
) -> None:
    text = committed(controller, "staging").read_text()
    assert old in text
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace(old, new))
    with namespaces(sandbox, "ml-staging", "ml-staging-monitoring"):
        done = sandbox.run(*dry_run(path), check=False)
    assert done.returncode != 0
    assert new.partition(":")[0] in done.stderr or new.partition(": ")[2] in done.stderr


def dry_run(path: Path) -> tuple[str, ...]:
    flags = ("--server-side", "--dry-run=server", "--validate=strict")
    return ("kubectl", "apply", *flags, f"--filename={path}")


def applied(sandbox: Clone, path: Path) -> str:
    return sandbox.run(*dry_run(path)).stdout


@pytest.mark.parametrize("stage", STAGES)
def test_the_stack_has_the_operators_documented_fields(stage: str) -> None:
    """Against a model written from the reference of the operator, since its CRD is not available; see there."""
    found = [o for o in yaml.safe_load_all(committed("pulumi", stage).read_text()) if o["kind"] == "Stack"]
    (stack,) = [Stack.model_validate_json(json.dumps(item)) for item in found]
    assert stack.spec.refresh
    assert stack.spec.continue_resync_on_commit_match
    assert [p.name for p in stack.spec.prerequisites] == (
        ["ml-deployments-staging"] if stage == "production" else []
    )


@pytest.fixture(params=list(ACCOUNTS))
def applied_as(request: pytest.FixtureRequest, sandbox: Clone, tmp_path: Path) -> Iterator[str]:
    """The flag that makes kubectl the account of a controller for staging."""
    with deployer(sandbox, request.param, tmp_path) as user:
        yield f"--as={user}"


def test_the_account_may_deploy_its_stage_and_nothing_else(
    sandbox: Clone, applied_as: str, tmp_path: Path
) -> None:
    """Checked by the API server itself: each object is applied by impersonating the account, and removed again."""
    paths = render(CHECKOUT, "staging", tmp_path / "staging")
    apply = ("apply", "--server-side", "--force-conflicts", f"--filename={tmp_path / 'staging'}")
    try:
        done = sandbox.run("kubectl", *apply, applied_as)
        assert done.stdout.count("serverside-applied") == len(paths)
        metadata = ("field.cattle.io/projectId=p-1", "openshift.io/sa.scc.uid-range=1000/1000")
        by = "--field-manager=rancher"
        sandbox.run("kubectl", "annotate", "namespace", "ml-staging", *metadata, by)
        sandbox.run("kubectl", "label", "namespace", "ml-staging", "istio-injection=enabled", by)
        sandbox.run("kubectl", *apply, applied_as)
        kept = sandbox.get("namespace", "ml-staging")["metadata"]
        # What a platform wrote there stays.
        assert {item.partition("=")[0] for item in metadata} <= kept["annotations"].keys()
        assert kept["labels"]["istio-injection"] == "enabled"
        assert_may_not(sandbox, applied_as)
        other = render(CHECKOUT, "production", tmp_path / "production")
        refused = sandbox.run("kubectl", *dry_run(tmp_path / "production")[1:], applied_as, check=False)
        assert refused.returncode != 0
        assert refused.stdout.count("serverside-applied") < len(other)
        assert "ml-deployments-production-prometheus" in refused.stderr
        kinds = "deployments,services,networkpolicies,configmaps,servicemonitors,prometheuses,roles"
        owned = "--selector=ml-deployments/stage=staging"
        sandbox.run("kubectl", "delete", kinds, owned, "--namespace=ml-staging-monitoring", applied_as)
    finally:
        cluster = "--selector=ml-deployments/stage=staging"
        sandbox.run("kubectl", "delete", "clusterrole,clusterrolebinding", cluster, "--ignore-not-found")


def assert_may_not(sandbox: Clone, applied_as: str) -> None:
    for verb, what, where in (
        ("get", "secrets", "ml-staging"),
        ("create", "pods", "ml-staging"),
        ("create", "deployments", "ml-production"),
        ("create", "deployments", "default"),
        ("delete", "namespace/ml-production", "default"),
        ("escalate", "clusterroles", "default"),
        ("list", "pods", "kube-system"),
    ):
        answer: Any = sandbox.run(
            "kubectl", "auth", "can-i", verb, what, f"--namespace={where}", applied_as, check=False
        )
        assert answer.stdout.strip() == "no", (verb, what, where)
