"""`delivery gitops`: the objects that controllers in the cluster follow."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from delivery.cli import app
from delivery.gitops.generate import HEADER, generated
from delivery.gitops.scope import group
from delivery.rendering.render import manifests
from tests.support.feature_stores import stage as with_store
from tests.support.gitops import forbidden, objects, one, the_only, use_gitops
from tests.support.projects import CHECKOUT, GOOD_STACK, project

STAGES = ("production", "staging")


@pytest.fixture(scope="module")
def committed() -> dict[str, str]:
    return generated(CHECKOUT)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project with one stage `test`, and the settings of this checkout."""
    folder = project(tmp_path / "small")
    use_gitops(folder)
    return folder


def run(folder: Path, output: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["gitops", "--project", str(folder), "--output", str(output)])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def settings_with(folder: Path, old: str, new: str) -> None:
    path = folder / "gitops" / "settings.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_committed_objects_are_fresh(committed: dict[str, str]) -> None:
    folder = CHECKOUT / "gitops"
    found = {
        str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.yaml") if p.name != "settings.yaml"
    }
    assert found == committed, "run `make gitops`"


def test_every_stage_has_a_file_for_each_controller(committed: dict[str, str]) -> None:
    assert set(committed) == {
        f"{tool}/{stage}.yaml" for tool in ("argocd", "flux", "pulumi") for stage in STAGES
    }
    assert all(text.startswith(HEADER) for text in committed.values())


@pytest.mark.parametrize("stage", STAGES)
def test_argocd_heals_prunes_and_retries(committed: dict[str, str], stage: str) -> None:
    text = committed[f"argocd/{stage}.yaml"]
    application, owner = one(text, "Application"), one(text, "AppProject")
    policy = application["spec"]["syncPolicy"]
    assert policy["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
    assert "ServerSideApply=true" in policy["syncOptions"]
    assert policy["retry"]["refresh"]
    assert "finalizers" not in application["metadata"]
    assert application["spec"]["source"]["targetRevision"] == f"rendered/{stage}"
    assert application["spec"]["project"] == owner["metadata"]["name"]
    assert owner["spec"]["sourceRepos"] == [application["spec"]["source"]["repoURL"]]


@pytest.mark.parametrize("stage", STAGES)
def test_flux_waits_prunes_and_never_replaces(committed: dict[str, str], stage: str) -> None:
    text = committed[f"flux/{stage}.yaml"]
    spec = one(text, "Kustomization")["spec"]
    assert (spec["prune"], spec["wait"], spec["force"]) == (True, True, False)
    assert spec["deletionPolicy"] == "Orphan"
    source = one(text, "GitRepository")
    assert spec["sourceRef"] == {"kind": "GitRepository", "name": source["metadata"]["name"]}
    assert source["spec"]["ref"] == {"branch": f"rendered/{stage}"}
    assert spec["serviceAccountName"] == one(text, "ServiceAccount")["metadata"]["name"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_pulumi_operator_heals_drift_by_the_stack_file_alone(
    committed: dict[str, str], stage: str
) -> None:
    text = committed[f"pulumi/{stage}.yaml"]
    stack = one(text, "Stack")
    spec = stack["spec"]
    assert spec["refresh"]
    assert spec["continueResyncOnCommitMatch"]
    assert spec["resyncFrequencySeconds"] >= 60
    assert not spec["destroyOnFinalize"]
    assert spec["stack"].endswith(f"/ml-deployments/{stage}")
    assert not {"config", "configRef", "secretsRef", "secrets"} & set(spec)
    assert spec["workspaceTemplate"]["spec"]["image"].rpartition(":")[2][0].isdigit()
    assert len(stack["metadata"]["name"]) <= 42
    delegators = [o for o in objects(text) if o.get("roleRef", {}).get("name") == "system:auth-delegator"]
    account = one(text, "ServiceAccount")["metadata"]
    assert delegators[0]["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert spec["serviceAccountName"] == account["name"]


def test_production_waits_for_staging_and_staging_for_nothing(committed: dict[str, str]) -> None:
    spec = one(committed["pulumi/production.yaml"], "Stack")["spec"]
    assert spec["prerequisites"] == [
        {"name": "ml-deployments-staging", "requirement": {"succeededWithinDuration": "1h"}}
    ]
    assert "prerequisites" not in one(committed["pulumi/staging.yaml"], "Stack")["spec"]


def test_a_stage_without_monitoring_has_one_namespace(small: Path) -> None:
    spec = one(generated(small)["argocd/test.yaml"], "AppProject")["spec"]
    assert [place["namespace"] for place in spec["destinations"]] == ["ml-test"]
    assert spec["clusterResourceWhitelist"] == [{"group": "", "kind": "Namespace", "name": "ml-test"}]


def test_argocd_applies_as_the_account_of_the_stage(small: Path) -> None:
    found = objects(generated(small)["argocd/test.yaml"])
    (account,) = the_only(found, "AppProject")["spec"]["destinationServiceAccounts"]
    assert account == {
        "server": "https://kubernetes.default.svc",
        "namespace": "*",
        "defaultServiceAccount": "argocd:ml-deployments-test",
    }
    assert the_only(found, "ServiceAccount")["metadata"] == {
        "name": "ml-deployments-test",
        "namespace": "argocd",
    }


@pytest.mark.parametrize("tool", ["argocd", "flux", "pulumi"])
def test_a_namespace_that_is_not_owned_is_not_in_the_files(small: Path, tool: str) -> None:
    text = (small / "Pulumi.test.yaml").read_text()
    (small / "Pulumi.test.yaml").write_text(f"{text}  ml-deployments:namespaceOwned: false\n")
    found = objects(generated(small)[f"{tool}/test.yaml"])
    assert [o["metadata"]["name"] for o in found if o["kind"] == "Namespace"] == (
        ["pulumi-stacks"] if tool == "pulumi" else []
    )
    assert not [o for o in found if o["kind"] == "ClusterRole"]
    assert forbidden(found, manifests(small, "test")) == []


@pytest.mark.parametrize("tool", ["argocd", "flux", "pulumi"])
def test_each_account_is_held_back_by_a_policy(small: Path, tool: str) -> None:
    found = objects(generated(small)[f"{tool}/test.yaml"])
    kind = "ValidatingAdmissionPolicy"
    policies = {o["metadata"]["name"]: o["spec"] for o in found if o["kind"] == kind}
    bound = {
        o["spec"]["policyName"]: o["spec"]["validationActions"]
        for o in found
        if o["kind"] == f"{kind}Binding"
    }
    assert bound == {name: ["Deny"] for name in policies}
    assert {spec["failurePolicy"] for spec in policies.values()} == {"Fail"}
    account = the_only(found, "ServiceAccount")["metadata"]
    user = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    (condition,) = policies["ml-deployments-test-deployer"]["matchConditions"]
    assert condition["expression"] == f'request.userInfo.username == "{user}"'


def test_the_command_writes_and_removes_what_is_gone(small: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert run(small, output)[0] == 0
    (output / "argocd" / "gone.yaml").write_text(f"{HEADER}\nkind: Application\n")
    (output / "argocd" / "mine.yaml").write_text("kind: ConfigMap\n")
    assert run(small, output)[0] == 0
    assert sorted(p.name for p in (output / "argocd").iterdir()) == ["mine.yaml", "test.yaml"]


def checked(folder: Path) -> str:
    result = CliRunner().invoke(app, ["check", "--project", str(folder)])
    assert (result.exit_code, "Traceback" in result.output) == (0, False)
    return " ".join(result.output.split())


def test_check_reports_what_is_stale(small: Path) -> None:
    assert "gitops" not in checked(small)
    run(small, small / "gitops")
    assert "gitops" not in checked(small)
    (small / "Pulumi.test.yaml").write_text(GOOD_STACK.replace("ml-test", "ml-other"))
    (small / "gitops" / "flux" / "gone.yaml").write_text(HEADER)
    # It is not used.
    shutil.rmtree(small / "gitops" / "pulumi")
    said = checked(small)
    assert "gitops/argocd/test.yaml, gitops/flux/gone.yaml, gitops/flux/test.yaml: not what" in said
    assert "`make gitops`" in said
    settings_with(small, "interval: 1m", "interval: often")
    said = checked(small)
    assert "gitops/ cannot be made" in said
    assert "flux.interval = often" in said


def test_a_feature_store_changes_nothing_and_may_be_deployed(small: Path) -> None:
    before = generated(small)
    with_store(small)
    found = {group(m): m for m in manifests(small, "test") if m["kind"] in {"Job", "PersistentVolumeClaim"}}
    assert len(found) == 2
    assert generated(small) == before
    for tool in ("argocd", "flux", "pulumi"):
        assert forbidden(objects(before[f"{tool}/test.yaml"]), manifests(small, "test")) == []


def test_a_new_model_changes_nothing(small: Path) -> None:
    before = generated(small)
    shutil.copy(small / "models" / "a.yaml", small / "models" / "b.yaml")
    (small / "Pulumi.test.yaml").write_text(GOOD_STACK + '    b: {version: "v1", replicas: 3}\n')
    assert generated(small) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://git.example.com", "https://ada:word@git.example.com", "contains a password"),
        ("https://git.example.com", "https://token@git.example.com", "contains a password"),
        ("s3://ml-deployments", "https://:word@ml-deployments", "contains a password"),
        ("https://git.example.com", "git.example.com", "must be a git URL"),
        ("branch: main", "branch: main..next", "must be a branch"),
        ("branch: main", "branch: main.lock", "must be a branch"),
        ("3.259.0-nonroot", "latest-nonroot", "must name one version"),
        ("resyncSeconds: 300", "resyncSeconds: 10", "write 60 or more"),
        ("interval: 1m", "interval: often", "must be a duration"),
        ("[test]", "[test, test]", "is listed twice"),
        ("[test]", "[test, production]", "there is no Pulumi.production.yaml"),
        ("branch: main", "brunch: main", "write branch"),
        ("namespace: argocd", "namespace: Argo CD", "argocd.namespace"),
        ("namespace: argocd", "namespace: kube-system", "kube-system: belongs to Kubernetes"),
        ("namespace: flux-system", "namespace: default", "default: belongs to every cluster"),
        ("namespace: pulumi-stacks", "namespace: ml-test", "is a namespace of the stage test"),
    ],
)
def test_mistakes_in_the_settings_are_named_and_nothing_is_written(
    small: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    settings_with(small, old, new)
    code, output = run(small, tmp_path / "out")
    assert code == 1
    assert "gitops/settings.yaml" in output
    assert said in output
    assert not (tmp_path / "out").exists()


def test_without_settings_the_file_is_named(tmp_path: Path) -> None:
    code, output = run(project(tmp_path / "p"), tmp_path / "out")
    assert code == 1
    assert "gitops/settings.yaml: the file does not exist" in output
