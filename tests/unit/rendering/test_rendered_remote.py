"""`delivery render --commit --push`: the branch of rendered manifests and a remote's."""

from pathlib import Path

from tests.support.projects import GOOD_STACK
from tests.support.rendered import BRANCH, V2, commit, run, tips
from tests.support.repositories import git, identify


def test_a_shallow_clone_says_how_to_get_the_rest(clone: Path, tmp_path: Path) -> None:
    run(clone)
    commit(clone, "Roll out v2", V2)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", clone.as_uri(), str(shallow))
    code, said = run(shallow, "--push", "origin")
    assert code == 1
    assert "git fetch --unshallow" in said
    git(shallow, "fetch", "--quiet", "--unshallow")
    assert run(shallow, "--push", "origin")[0] == 0
    assert tips(clone) == ["Roll out v2", "Serve model a"]


def test_a_fresh_clone_continues_from_the_remotes_branch(clone: Path, tmp_path: Path) -> None:
    run(clone)
    commit(clone, "Roll out v2", V2)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    assert run(other)[0] == 0
    assert tips(other) == ["Roll out v2", "Serve model a"]
    assert tips(clone) == ["Serve model a"], "nothing is pushed without --push"
    assert run(other, "--push", "origin")[0] == 0
    assert tips(clone) == tips(other)


def test_a_push_continues_from_what_others_pushed(clone: Path, tmp_path: Path) -> None:
    run(clone)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    run(other)
    commit(clone, "Roll out v2", V2)
    run(clone)
    commit(clone, "Serve v1 again", GOOD_STACK)
    git(other, "pull", "--quiet")
    assert run(other, "--push", "origin")[0] == 0
    assert tips(clone) == ["Serve v1 again", "Roll out v2", "Serve model a"]


def test_a_diverged_remote_branch_is_an_error_and_nothing_changes(clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    run(clone)
    commit(clone, "Roll out v2", V2)
    git(other, "pull", "--quiet")
    run(clone)
    git(other, "branch", BRANCH, "origin/main")
    identify(other)
    before = git(clone, "rev-parse", BRANCH), git(other, "rev-parse", BRANCH)
    code, said = run(other, "--push", "origin")
    assert code == 1
    assert "have diverged" in said
    assert f"git branch --force {BRANCH} origin/{BRANCH}" in said
    assert before == (git(clone, "rev-parse", BRANCH), git(other, "rev-parse", BRANCH))


def test_a_refused_push_says_why(clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    hook = clone / ".git" / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    code, said = run(other, "--push", "origin")
    assert code == 1
    assert "protected branch" in said


def test_an_unknown_remote_is_named(clone: Path) -> None:
    code, said = run(clone, "--push", "nowhere")
    assert code == 1
    assert "The remote nowhere could not be asked" in said
    assert not git(clone, "for-each-ref", "refs/heads/rendered")
