"""The review of a change, against a real control plane and the real engine."""

import html
import re
import sys
from pathlib import Path

import pytest

from delivery.review.size import LIMIT_BYTES
from sandbox.harness.clone import Clone, model_files, models
from sandbox.harness.repository import commit, git, initialise, replace, review
from tests.integration.deployment.test_faults import unused_kubeconfig


@pytest.fixture
def repository(project: Clone) -> Clone:
    """A repository whose `main` is deployed: two models with three replicas; `change` is checked out."""
    model_files(project.path, 2)
    project.write_stack(models(2, replicas=3))
    initialise(project)
    project.up()
    git(project, "checkout", "--quiet", "-b", "change")
    return project


def rows(page: str) -> list[tuple[str, str]]:
    """Operation and object of each step."""
    found = re.findall(
        r"^\| (\**(?:create|update|replace|delete)[^|]*) \| <code>([^<]*)</code>", page, re.MULTILINE
    )
    return [(operation.strip(), name) for operation, name in found]


def test_a_bump_is_two_updates_and_nothing_stops_it(repository: Clone) -> None:
    replace(repository, 'm000: {version: "v1"', 'm000: {version: "v2"')
    commit(repository, "Bump")
    code, page = review(repository, "main..HEAD")
    assert code == 0, page
    assert page.startswith(
        "<!-- ml-deployments review: test -->\n## Review of <code>test</code>: 2 updates, nothing stops"
    )
    assert "| <code>m000</code> | <code>test</code> | <code>v1</code> → <code>v2</code> |" in page
    namespace = repository.namespace
    assert rows(page) == [
        ("update", f"ConfigMap {namespace}/m000-rules"),
        ("update", f"Deployment {namespace}/m000"),
    ]
    assert "-        image: 127.0.0.1:1/model-registry/sentiment-classifier:v1\n" in page
    assert "no file" not in page
    # The review left nothing behind.
    assert git(repository, "status", "--porcelain") == ""
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_branch_is_reviewed_while_something_else_is_checked_out_and_changed(repository: Clone) -> None:
    replace(repository, 'm000: {version: "v1"', 'm000: {version: "v2"')
    commit(repository, "Bump")
    git(repository, "checkout", "--quiet", "--detach", "main")
    replace(repository, "replicas: 3", "replicas: 9")
    code, page = review(repository, "main..change")
    assert code == 0, page
    assert len(rows(page)) == 2
    assert "<code>v2</code>" in page
    assert "<code>9</code>" not in page


def test_another_namespace_replaces_everything(repository: Clone) -> None:
    replace(repository, f"namespace: {repository.namespace}", f"namespace: {repository.namespace}-b")
    commit(repository, "Rename")
    code, page = review(repository, "main..HEAD")
    assert code == 1
    assert ("**replace** (unexpected)", f"Deployment {repository.namespace}/m000") in rows(page)
    assert ("**delete** (unexpected)", f"Namespace {repository.namespace}") in rows(page)
    assert "**<code>metadata.namespace</code>**" in page
    assert (
        f"is deleted that the change does not clearly remove: <code>Namespace {repository.namespace}</code>"
        in page
    )


def test_another_selector_replaces_the_deployment(repository: Clone) -> None:
    replace(
        repository,
        'MODEL_SERVER = "model-server"',
        'MODEL_SERVER = "server"',
        "components/kubernetes/naming.py",
    )
    commit(repository, "Selector")
    code, page = review(repository, "main..HEAD")
    assert code == 1
    assert ("**replace** (unexpected)", f"Deployment {repository.namespace}/m000") in rows(page)
    assert ("**replace** (unexpected)", f"Deployment {repository.namespace}/m001") in rows(page)
    assert "no complete preview" not in page
    assert "the program itself is changed" in page


def test_a_removed_model_is_expected_and_highlighted(repository: Clone) -> None:
    repository.write_stack(models(1, replicas=3))
    commit(repository, "Remove")
    code, page = review(repository, "main..HEAD")
    assert code == 0, page
    deleted = [name for operation, name in rows(page) if operation == "**delete**"]
    assert f"Deployment {repository.namespace}/m001" in deleted
    assert f"Service {repository.namespace}/m001" in deleted
    assert "**<code>m001</code> is removed from the stage**" in page
    assert "| <code>m001</code> | <code>test</code> | <code>v1</code> → - |" in page


def test_a_cluster_out_of_reach_stops_it(repository: Clone, tmp_path: Path) -> None:
    replace(repository, 'm000: {version: "v1"', 'm000: {version: "v2"')
    commit(repository, "Bump")
    code, page = review(repository, "main..HEAD", KUBECONFIG=unused_kubeconfig(tmp_path))
    assert code == 1
    assert "no complete preview, stopped by 1 finding" in page
    assert "cannot reach the cluster at https://127.0.0.1:1" in html.unescape(page)
    assert "<code>v1</code> → <code>v2</code>" in page


def test_no_stack_and_no_pulumi_stop_it(repository: Clone, tmp_path: Path) -> None:
    code, page = review(repository, "main..HEAD", PULUMI_BACKEND_URL=tmp_path.as_uri())
    assert code == 1
    assert "pulumi stack init test" in page
    code, page = review(repository, "main..HEAD", PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    assert code == 1
    assert "pulumi is not installed" in page


def test_a_bad_file_stops_it_before_the_cluster_is_asked(repository: Clone) -> None:
    replace(repository, 'm000: {version: "v1"', "m000: {version: 1.10")
    commit(repository, "Bad")
    code, page = review(repository, "main..HEAD")
    assert code == 1
    assert (
        "a problem of the files: <code>Pulumi.test.yaml:4: config.ml-deployments:models.m000.version = 1.10"
        in page
    )
    assert "there is no preview" in page


def test_what_someone_did_by_hand_is_distinguished(repository: Clone) -> None:
    replace(repository, 'm000: {version: "v1"', 'm000: {version: "v2"')
    commit(repository, "Bump")
    where = f"--namespace={repository.namespace}"
    repository.run("kubectl", "scale", "deployment/m001", "--replicas=1", where)
    code, page = review(repository, "main..HEAD")
    assert code == 0, page
    assert ("update (no file explains it)", f"Deployment {repository.namespace}/m001") in rows(page)
    assert "1 step that no file of this change explains" in page


def test_a_base_that_moved_on_is_reported(repository: Clone) -> None:
    replace(repository, 'm000: {version: "v1"', 'm000: {version: "v2"')
    commit(repository, "Bump")
    git(repository, "checkout", "--quiet", "main")
    replace(repository, 'm001: {version: "v1"', 'm001: {version: "v2"')
    commit(repository, "Bump the other")
    repository.up()
    git(repository, "checkout", "--quiet", "change")
    _, page = review(repository, "main..HEAD")
    assert "<code>main</code> has 1 newer commit that this change does not contain" in page
    # What main deployed since would be undone.
    assert ("update (no file explains it)", f"Deployment {repository.namespace}/m001") in rows(page)


def test_what_cannot_be_compared_is_reported(repository: Clone, tmp_path: Path) -> None:
    for message in ("One", "Two"):
        (repository.path / "note").write_text(message)
        commit(repository, message)
    shallow = tmp_path / "shallow"
    source = repository.path.as_uri()
    git(
        repository,
        "clone",
        "--quiet",
        "--depth=1",
        "--no-single-branch",
        "--branch=change",
        source,
        str(shallow),
    )
    for span, said in (
        ("origin/main..HEAD", "`git fetch --unshallow`"),
        ("nowhere..HEAD", "nowhere names no commit"),
        ("main", "write BASE..HEAD"),
    ):
        done = repository.python("delivery", "review", span, "--project", str(shallow), check=False)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_many_models_still_fit_in_a_comment(project: Clone) -> None:
    model_files(project.path, 100)
    project.write_stack(models(100))
    initialise(project)
    project.write_stack(models(100, version="v2"))
    commit(project, "Bump all")
    code, page = review(project, "HEAD^..HEAD")
    assert code == 0
    assert len(page.encode()) <= LIMIT_BYTES
    assert page.count("→ <code>v2</code>") == 100
    assert "objects are left out" in page
    _, full = review(project, "HEAD^..HEAD", "--full")
    assert len(full.encode()) > LIMIT_BYTES
    assert "left out" not in full
