"""What the workflows run: a commit is deployed and verified, one at a time, and never an older one."""

import os
import signal
from pathlib import Path

import pytest

from sandbox.cluster.backend import stage_locks
from sandbox.harness.clone import Clone
from sandbox.harness.repository import commit, git, initialise, replace
from sandbox.harness.waiting import wait_for
from tests.integration.deployment.test_faults import STUCK


@pytest.fixture
def repository(project: Clone) -> Clone:
    """A repository whose `main` is not deployed yet."""
    initialise(project)
    return project


@pytest.fixture
def deployed(repository: Clone) -> Clone:
    """A repository whose `main` is deployed, by the one step of `make deploy` that leaves something behind."""
    repository.up()
    return repository


def deploy(project: Clone, *, good: bool = True) -> str:
    """`make deploy` of the checkout; what it printed."""
    done = project.run("make", "deploy", "STAGE=test", check=False)
    assert (done.returncode == 0) == good, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def version(project: Clone) -> str:
    (container,) = project.get("deployment", "m000")["spec"]["template"]["spec"]["containers"]
    return str(container["image"]).rpartition(":")[2]


def bump(project: Clone, old: str, new: str) -> str:
    replace(project, f'version: "{old}"', f'version: "{new}"')
    return commit(project, f"Release {new}")


def test_a_commit_is_deployed_verified_and_taken_back_by_a_revert(repository: Clone) -> None:
    assert "as the first one known" in deploy(repository)
    first = git(repository, "rev-parse", "HEAD")
    second = bump(repository, "v1", "v2")
    said = deploy(repository)
    assert f"after {first[:12]}" in said
    assert 'deployment "m000" successfully rolled out' in said
    assert version(repository) == "v2"
    # A run that was overtaken, or started again by hand.
    git(repository, "checkout", "--quiet", "--detach", first)
    assert f"runs commit {second[:12]}, which is newer" in deploy(repository, good=False)
    assert version(repository) == "v2"
    git(repository, "checkout", "--quiet", "main")
    git(repository, "revert", "--no-edit", "HEAD")
    deploy(repository)
    assert version(repository) == "v1"
    # A second time is not an error.
    deploy(repository)


def test_a_rewritten_history_is_not_deployed(repository: Clone) -> None:
    bump(repository, "v1", "v2")
    repository.up()
    git(repository, "reset", "--quiet", "--hard", "HEAD^")
    bump(repository, "v1", "v3")
    said = deploy(repository, good=False)
    assert "history was rewritten" in said
    assert "pulumi up --stack test" in said
    assert version(repository) == "v2"


def test_a_shallow_clone_reports_what_is_missing(deployed: Clone, tmp_path: Path) -> None:
    bump(deployed, "v1", "v2")
    shallow = tmp_path / "shallow"
    git(deployed, "clone", "--quiet", "--depth=1", deployed.path.as_uri(), str(shallow))
    done = deployed.python("delivery", "deployable", "test", "--project", str(shallow), check=False)
    assert done.returncode == 1
    assert "`git fetch --unshallow`" in done.stderr


def test_what_is_not_committed_is_not_deployed(repository: Clone) -> None:
    replace(repository, 'version: "v1"', 'version: "v2"')
    assert "Pulumi.test.yaml first: what is deployed must be in git" in deploy(repository, good=False)
    assert repository.get("deployments")["items"] == []


def test_of_two_deployments_at_once_the_second_is_refused(deployed: Clone) -> None:
    # Stuck until the second one is refused, however slow the machine is.
    longer = "progressDeadlineSeconds: 500, timeoutSeconds: 520"
    deployed.write_stack(STUCK.replace("progressDeadlineSeconds: 5, timeoutSeconds: 20", longer))
    commit(deployed, "Stuck")
    first = deployed.start("make", "deploy", "STAGE=test")
    state = Path(deployed.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    wait_for(lambda: bool(stage_locks(state, "test")), seconds=120)
    assert "the stack is currently locked by 1 lock(s)" in deploy(deployed, good=False)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=120)
    assert first.returncode != 0
    # Forward is the only way out of a failure, too.
    git(deployed, "revert", "--no-edit", "HEAD")
    deploy(deployed)
    assert version(deployed) == "v1"


def test_a_lock_that_a_killed_run_left_is_reported_with_its_fix(deployed: Clone) -> None:
    state = Path(deployed.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    lock = state / ".pulumi/locks/organization/ml-deployments/test/left.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "ci", "hostname": "gone", "timestamp": "2026-01-01T00:00:00Z"}')
    bump(deployed, "v1", "v2")
    said = deploy(deployed, good=False)
    assert "pulumi cancel" in said
    page = deployed.python("delivery", "review", "HEAD^..HEAD", "--stage", "test").stdout
    assert "the stack is locked" in page
    deployed.pulumi("cancel", "--yes")
    deploy(deployed)
    assert version(deployed) == "v2"


def test_verification_fails_while_something_is_left_to_do(deployed: Clone) -> None:
    deployed.run("make", "verify", "STAGE=test")
    bump(deployed, "v1", "v2")
    done = deployed.run("make", "verify", "STAGE=test", check=False)
    assert done.returncode != 0
    assert "no changes were expected" in done.stdout + done.stderr


def test_a_target_without_a_stage_is_wrong_usage(repository: Clone) -> None:
    for stage in ("", "nowhere"):
        done = repository.run("make", "deploy", f"STAGE={stage}", check=False)
        assert done.returncode == 2
        assert "is not a stage. Fix: make TARGET STAGE=" in done.stderr
