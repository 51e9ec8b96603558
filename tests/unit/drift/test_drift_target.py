"""What the cluster is compared with, and how kubectl is asked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from delivery.cli import app
from delivery.drift.kubectl import MOST_REFUSED, Kubectl
from delivery.drift.target import Target, refuse_overtaken, target
from delivery.git.repository import Repository
from delivery.releases.deployments import tag
from tests.support.projects import GOOD_STACK, project
from tests.support.repositories import git, init
from tests.support.served_kinds import served


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = project(tmp_path / "project")
    init(folder)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=change")
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, replicas: int) -> None:
    text = GOOD_STACK.replace("replicas: 2", f"replicas: {replicas}")
    (folder / "Pulumi.test.yaml").write_text(text)


def replicas(found: Target) -> int:
    (count,) = [m["spec"]["replicas"] for m in found.manifests if m["kind"] == "Deployment"]
    assert isinstance(count, int)
    return count


def test_a_clean_work_tree_is_its_commit(repository: Path) -> None:
    found = target(repository, "test")
    assert (found.revision, found.notes) == (git(repository, "rev-parse", "HEAD"), ())
    assert replicas(found) == 2


def test_a_heal_never_goes_back_behind_what_is_deployed(repository: Path) -> None:
    old = git(repository, "rev-parse", "HEAD")
    write(repository, 3)
    new = commit(repository)
    tag(Repository(repository), "test")
    refuse_overtaken(repository, target(repository, "test"))
    refuse_overtaken(repository, target(repository, "test", work_tree=True))
    with pytest.raises(UserError, match=rf"the tag test/a/v1 says that test runs {new[:12]}"):
        refuse_overtaken(repository, target(repository, "test", revision=old))
    said = CliRunner().invoke(
        app, ["drift", "test", "--heal", "--revision", old, "--project", str(repository)]
    )
    assert said.exit_code == 1
    assert "a heal would undo that deployment" in said.stderr


def test_uncommitted_changes_are_ignored_and_reported(repository: Path) -> None:
    write(repository, 3)
    found = target(repository, "test")
    assert replicas(found) == 2
    assert found.notes == ("uncommitted changes are ignored (Pulumi.test.yaml); --work-tree includes them",)
    taken_in = target(repository, "test", work_tree=True)
    assert (replicas(taken_in), taken_in.revision, taken_in.notes) == (3, None, ())


def test_another_commit(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    write(repository, 3)
    commit(repository)
    found = target(repository, "test", revision=first[:8])
    assert (replicas(found), found.revision, found.notes) == (2, first, ())
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_commit_without_the_stage(repository: Path) -> None:
    (repository / "Pulumi.new.yaml").write_text(GOOD_STACK)
    with pytest.raises(UserError, match=r"Pulumi\.new\.yaml does not exist at"):
        target(repository, "new")


def test_without_git_the_files_count_and_a_note_says_so(tmp_path: Path) -> None:
    found = target(project(tmp_path), "test")
    assert (replicas(found), found.revision) == (2, None)
    assert "is in no git repository" in found.notes[0]
    with pytest.raises(UserError, match="is in no git repository"):
        target(tmp_path, "test", revision="HEAD")


def test_a_commit_and_the_work_tree_exclude_each_other(tmp_path: Path) -> None:
    flags = ["drift", "test", "--project", str(project(tmp_path)), "--revision", "HEAD", "--work-tree"]
    assert CliRunner().invoke(app, flags).exit_code == 2


def fake_kubectl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "kubectl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def objects(count: int) -> list[dict[str, object]]:
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{n}"}} for n in range(count)]


def test_the_one_object_that_the_server_refuses_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'input=$(cat); case "$input" in *c5*) echo bad >&2; exit 1;; esac; echo "$input"'
    fake_kubectl(tmp_path, script, monkeypatch)
    applied, refused = Kubectl(None).would_apply(objects(8), "us")
    assert sorted(found["metadata"]["name"] for found in applied) == [f"c{n}" for n in range(8) if n != 5]
    assert [(here.name, reason) for here, reason in refused.items()] == [("c5", "bad")]


def test_a_server_that_refuses_everything_is_not_asked_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kubectl(tmp_path, "echo 'patch is forbidden' >&2; exit 1", monkeypatch)
    kubectl = Kubectl("here")
    with pytest.raises(UserError, match=r"\(context here\): patch is forbidden\. Fix: "):
        kubectl.would_apply(objects(1000), "us")
    assert len(kubectl.commands) < 4 * MOST_REFUSED


def test_kubectl_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="kubectl is not installed"):
        Kubectl(None).kinds()


def test_kinds_are_read_with_and_without_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = served("v1 Namespace", "apps/v1 Deployment", "example.com/v1beta1 Widget", verbs=("list",))
    # A broken aggregated API: kubectl lists the others, and fails.
    fake_kubectl(tmp_path, f"echo '{text}'; echo 'broken: unavailable' >&2; exit 1", monkeypatch)
    kinds = Kubectl(None).kinds()
    assert [(kind.resource, kind.api_version, kind.kind, kind.namespaced) for kind in kinds] == [
        ("namespaces", "v1", "Namespace", False),
        ("deployments.apps", "apps/v1", "Deployment", True),
        ("widgets.example.com", "example.com/v1beta1", "Widget", True),
    ]
    assert {kind.verbs for kind in kinds} == {frozenset({"list"})}


def test_an_old_kubectl_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "error: --output json is not available in kubectl api-resources"
    fake_kubectl(tmp_path, f"echo '{said}' >&2; exit 1", monkeypatch)
    with pytest.raises(
        UserError, match=r"--output json is not available.*Fix: install kubectl 1\.35 or later"
    ):
        Kubectl(None).kinds()


@pytest.mark.parametrize("text", ["", "Please enter Username: ", '{"resources": []}', '{"resources": null}'])
def test_a_cluster_that_lists_nothing_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    fake_kubectl(tmp_path, f"echo '{text}'; echo 'connection refused' >&2; exit 1", monkeypatch)
    with pytest.raises(UserError, match=r"cannot reach the cluster .*: connection refused"):
        Kubectl("here").kinds()
