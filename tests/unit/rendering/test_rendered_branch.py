"""`delivery render --commit`: the branch of rendered manifests, in real git repositories."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from delivery.cli import app
from delivery.git.repository import Repository
from delivery.rendering import branch as rendered_branch
from delivery.rendering.branch import RenderedCommit, render_commit
from delivery.rendering.render import file_name
from tests.support.projects import entry, project
from tests.support.rendered import BRANCH, V2, commit, image, run, tips
from tests.support.repositories import git, init


def test_a_commit_names_its_source_and_its_author(clone: Path) -> None:
    source = git(clone, "rev-parse", "HEAD")
    assert run(clone)[0] == 0
    assert git(clone, "log", "-1", "--format=%an %ae %aI %cI %s", BRANCH) == git(
        clone, "log", "-1", "--format=%an %ae %aI %cI %s"
    )
    assert git(clone, "log", "-1", "--format=%(trailers)", BRANCH) == f"Source-Commit: {source}\nStage: test"


def test_namespaces_come_first_in_the_order_of_names(clone: Path) -> None:
    run(clone)
    names = git(clone, "ls-tree", "--name-only", BRANCH).splitlines()
    assert names == sorted(names)
    assert names[0] == "1-namespace-ml-test.yaml"
    assert all(name.endswith(".yaml") for name in names)


def test_definitions_come_before_namespaces() -> None:
    order = [
        file_name({"kind": kind, "metadata": {"name": "a"}})
        for kind in ("CustomResourceDefinition", "Namespace", "Alertmanager")
    ]
    assert order == sorted(order)


def test_the_work_tree_and_the_index_are_neither_read_nor_touched(clone: Path) -> None:
    (clone / "Pulumi.test.yaml").write_text(V2)
    (clone / "new.txt").write_text("mine")
    git(clone, "add", "new.txt")
    before = git(clone, "status", "--porcelain")
    assert run(clone)[0] == 0
    assert image(clone).endswith(":v1")
    assert git(clone, "status", "--porcelain") == before
    assert git(clone, "branch", "--show-current") == "main"
    assert len(git(clone, "worktree", "list").splitlines()) == 1


def test_one_commit_for_each_source_commit_and_none_twice(clone: Path) -> None:
    run(clone)
    commit(clone, "Roll out v2", V2)
    assert "is the new tip" in run(clone)[1]
    assert "was there already" in run(clone)[1]
    assert tips(clone) == ["Roll out v2", "Serve model a"]
    assert image(clone).endswith(":v2")
    assert image(clone, f"{BRANCH}~1").endswith(":v1")


def test_a_source_commit_that_changes_no_manifest_has_its_commit_too(clone: Path) -> None:
    run(clone)
    (clone / "README.md").write_text("words")
    source = commit(clone, "Words")
    run(clone)
    assert tips(clone) == ["Words", "Serve model a"]
    assert git(clone, "rev-parse", f"{BRANCH}^{{tree}}") == git(clone, "rev-parse", f"{BRANCH}~1^{{tree}}")
    assert source in git(clone, "log", "-1", "--format=%B", BRANCH)


def test_the_same_source_is_the_same_commit_wherever_it_is_rendered(clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    assert run(clone)[0] == run(other)[0] == 0
    assert git(clone, "rev-parse", BRANCH) == git(other, "rev-parse", BRANCH)


def test_a_detached_head_is_rendered(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "--detach")
    assert run(clone)[0] == 0
    assert tips(clone) == ["Serve model a"]


def test_an_older_source_is_refused_unless_asked_for(clone: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")
    second = commit(clone, "Roll out v2", V2)
    run(clone)
    tip = git(clone, "rev-parse", BRANCH)
    code, said = run(clone, "--revision", first)
    assert code == 1
    assert f"{BRANCH} shows {second[:12]}, which {first[:12]} is older than" in said
    assert "git revert" in said
    assert git(clone, "rev-parse", BRANCH) == tip
    assert run(clone, "--revision", first, "--any-order")[0] == 0
    assert image(clone).endswith(":v1")


def test_a_rewritten_source_branch_is_refused(clone: Path) -> None:
    commit(clone, "Roll out v2", V2)
    run(clone)
    git(clone, "reset", "--quiet", "--hard", "HEAD~1")
    commit(clone, "Another history")
    code, said = run(clone)
    assert code == 1
    assert "does not contain" in said


def test_a_revert_brings_the_older_manifests_back(clone: Path) -> None:
    run(clone)
    commit(clone, "Roll out v2", V2)
    run(clone)
    git(clone, "revert", "--no-edit", "HEAD")
    assert run(clone)[0] == 0
    assert git(clone, "rev-parse", f"{BRANCH}^{{tree}}") == git(clone, "rev-parse", f"{BRANCH}~2^{{tree}}")


def test_of_two_runs_at_once_none_is_lost(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git(clone, "rev-parse", "HEAD")
    second = commit(clone, "Roll out v2", V2)
    real, repository = rendered_branch._commit, Repository(clone)

    def overtaken(*arguments: str) -> str:
        monkeypatch.setattr(rendered_branch, "_commit", real)
        render_commit(repository, "test", second)
        made: str = real(*arguments)  # type: ignore[arg-type]
        return made

    monkeypatch.setattr(rendered_branch, "_commit", overtaken)
    with pytest.raises(UserError, match="moved while this ran"):
        render_commit(repository, "test", first)
    assert tips(clone) == ["Roll out v2"]


def test_both_runs_of_the_same_source_succeed_or_say_so(clone: Path) -> None:
    def attempt(_: int) -> tuple[int, str]:
        command = [sys.executable, "-m", "delivery", "render", "test", "--commit", "--project", str(clone)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(attempt, range(2)))
    assert tips(clone) == ["Serve model a"]
    assert 0 in {code for code, _ in ended}
    assert all(code == 0 or "moved while this ran" in said for code, said in ended)


def test_the_branch_is_not_moved_under_a_checkout(clone: Path) -> None:
    run(clone)
    commit(clone, "Roll out v2", V2)
    git(clone, "switch", "--quiet", BRANCH)
    code, said = run(clone, "--revision", "main")
    assert code == 1
    assert f"{BRANCH} is checked out" in said


def test_a_commit_of_someone_else_on_the_branch_is_named(clone: Path) -> None:
    run(clone)
    git(clone, "switch", "--quiet", BRANCH)
    commit(clone, "By hand")
    git(clone, "switch", "--quiet", "main")
    code, said = run(clone)
    assert code == 1
    assert "was not rendered" in said


def test_a_source_with_mistakes_changes_nothing(clone: Path) -> None:
    commit(clone, "Half a line", entry("replicas: 1"))
    code, said = run(clone)
    assert code == 1
    assert "version: is required and missing" in said
    assert not git(clone, "for-each-ref", "refs/heads/rendered")


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--revision", "nowhere"), "names no commit"), (("--revision", "HEAD~0"), "rendered/test")],
)
def test_a_revision_is_looked_up(clone: Path, more: tuple[str, ...], said: str) -> None:
    assert said in run(clone, *more)[1]


def test_outside_a_repository(tmp_path: Path) -> None:
    code, said = run(project(tmp_path))
    assert code == 1
    assert "is in no git repository" in said


@pytest.mark.parametrize(
    "arguments", [(), ("--commit", "--output", "out"), ("--output", "out", "--revision", "HEAD~1")]
)
def test_wrong_usage(clone: Path, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["render", "test", "--project", str(clone), *arguments])
    assert result.exit_code == 2


@pytest.mark.usefixtures("no_git_configuration")
def test_a_project_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    top = tmp_path / "top"
    project(top / "models" / "here")
    init(top)
    commit(top, "Serve model a")
    assert run(top / "models" / "here")[0] == 0
    assert image(top).endswith(":v1")


def test_what_was_done_is_reported(clone: Path) -> None:
    source = git(clone, "rev-parse", "HEAD")
    done = render_commit(Repository(clone), "test", "HEAD")
    tip = git(clone, "rev-parse", BRANCH)
    assert done == RenderedCommit(branch=BRANCH, revision=tip, source=source, created=True)
