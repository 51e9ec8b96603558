"""The policy pack under `pulumi preview` and `pulumi up`, and its rule on pods against Kubernetes' own."""

import json
import subprocess
from typing import Any

from sandbox.harness.clone import Clone, model_files
from sandbox.harness.repository import commit, git
from sandbox.harness.waiting import wait_for
from tests.support.pod_security_cases import ACCEPTED, REFUSED, Change, changed

PACK = ("--policy-pack", "policy")
AVAILABLE = "  ml-deployments:policy: {highAvailability: true}\n"


def entry(version: str = "v1", replicas: int = 3) -> str:
    return f'    m000: {{version: "{version}", replicas: {replicas}}}\n'


def preview(project: Clone) -> subprocess.CompletedProcess[str]:
    return project.pulumi("preview", *PACK, check=False)


def deployed(project: Clone) -> bool:
    return project.run("kubectl", "get", "namespace", project.namespace, check=False).returncode == 0


def release(project: Clone, message: str, version: str) -> None:
    """Commit the stage with another version of its model."""
    project.write_stack(entry(version=version), AVAILABLE)
    commit(project, message)


def released(project: Clone, *versions: str) -> None:
    """A repository with a commit for each version."""
    git(project, "init", "--quiet", "--initial-branch", "main")
    (project.path / ".gitignore").write_text(".venv\n__pycache__/\n")
    for version in versions:
        release(project, f"Release {version}", version)


def test_a_good_project_passes(project: Clone) -> None:
    project.write_stack(entry(), AVAILABLE)
    released(project, "v1")

    done = preview(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ml-deployments" in done.stdout
    assert "mandatory" not in done.stdout
    assert "advisory" not in done.stdout


def test_what_is_bad_is_refused_all_at_once_and_nothing_changes(project: Clone) -> None:
    bad = {
        "m000": (
            "replicas: 1",
            ("replicas", "has 1 replica, so a lost node stops it. Fix: set replicas"),
        ),
        "m001": (
            "replicas: 3, disruptionBudget: {enabled: false}",
            ("disruption-budget", "has no PodDisruptionBudget"),
        ),
        "m002": (
            "replicas: 3, security: {runAsNonRoot: false}",
            ("restricted-pods", "the pod must set runAsNonRoot to true"),
        ),
    }
    model_files(project.path, len(bad))
    models = "".join(f'    {model}: {{version: "v1", {settings}}}\n' for model, (settings, _) in bad.items())
    project.write_stack(models, AVAILABLE)

    seen = preview(project)
    done = project.pulumi("up", "--yes", *PACK, check=False)

    for refused in (seen, done):
        assert refused.returncode != 0
        for model, (_, (policy, message)) in bad.items():
            assert f"[mandatory]  {policy}" in " ".join(refused.stdout.split("\n")), refused.stdout
            assert f"/{model}: {message}" in refused.stdout
    assert not deployed(project)


def test_an_exception_allows_and_is_shown(project: Clone) -> None:
    project.write_stack(
        entry(replicas=1),
        "  ml-deployments:policy: {highAvailability: true, exceptions: "
        '[{policy: replicas, name: m000, reason: it has no users, until: "2999-12-31"}]}\n',
    )

    done = preview(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "[advisory]" in done.stdout
    assert "has 1 replica, so a lost node stops it (allowed until 2999-12-31: it has no users)" in done.stdout


def test_a_quota_holds_and_pods_that_do_not_fit_are_refused_before(project: Clone) -> None:
    quota = '  ml-deployments:quota: {pods: "3", limits.ephemeral-storage: 6Gi}\n'
    project.write_stack(entry(replicas=2), quota)
    project.up(*PACK)

    (live,) = project.get("resourcequotas")["items"]
    assert live["status"]["hard"] == {"pods": "3", "limits.ephemeral-storage": "6Gi"}
    wait_for(lambda: used_pods(project) == "2", what="the quota counts the pods")

    project.write_stack(entry(replicas=3), quota)
    done = preview(project)
    assert done.returncode != 0
    assert "allows pods of 3, and while they roll its pods need 4" in done.stdout


def used_pods(project: Clone) -> Any:
    return project.get("resourcequotas")["items"][0]["status"]["used"].get("pods")


def test_a_version_goes_back_by_a_revert_only(project: Clone) -> None:
    released(project, "v1", "v2")
    assert preview(project).returncode == 0

    release(project, "Release v1", "v1")
    done = preview(project)
    assert done.returncode != 0
    assert "version-order" in done.stdout
    assert "takes the version back from v2 to v1 and is not a revert" in done.stdout
    assert project.up(*PACK, check=False).returncode != 0
    assert not deployed(project), "an update without a preview has changed something"

    git(project, "reset", "--quiet", "--hard", "HEAD~1")
    git(project, "revert", "--no-edit", "HEAD")
    done = preview(project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_its_history_a_stage_passes_with_an_advice(project: Clone) -> None:
    done = preview(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "how versions changed was not checked" in done.stdout


def test_the_api_server_judges_pods_as_the_restricted_rule_does(project: Clone) -> None:
    """The cases of the unit tests, checked by Kubernetes' own admission."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": project.namespace,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    apply(project, namespace)
    wait_for(lambda: accounts(project), what="the namespace has its service account")

    wrong = [case for case, change in REFUSED.items() if "violates PodSecurity" not in asked(project, change)]
    wrong += [
        case for case, change in ACCEPTED.items() if "created (server dry run)" not in asked(project, change)
    ]

    assert wrong == []


def apply(project: Clone, manifest: dict[str, Any], *flags: str) -> subprocess.CompletedProcess[str]:
    path = project.path / "manifest.json"
    path.write_text(json.dumps(manifest))
    return project.run("kubectl", "create", "-f", str(path), *flags, check=not flags)


def accounts(project: Clone) -> list[Any]:
    found: list[Any] = project.get("serviceaccounts")["items"]
    return found


def asked(project: Clone, change: Change) -> str:
    """What the API server says about a pod, which it does not store."""
    template = changed(change)
    metadata = {**template["metadata"], "name": "a", "namespace": project.namespace}
    done = apply(
        project,
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]},
        "--dry-run=server",
    )
    return done.stdout + done.stderr
