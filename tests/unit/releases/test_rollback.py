"""The revert of a model's last release in a stage."""

from pathlib import Path

import pytest

from delivery.git.repository import Repository
from tests.support.projects import MODEL
from tests.support.repositories import MAIN, Work, flow, stack
from tests.unit.commands.test_delivery import run

STAGING = "Pulumi.staging.yaml"


def rollback(work: Work, *options: str, model: str = "a", code: int = 0) -> str:
    """What the command says; it must leave the checkout as it was."""
    before = work.state()
    found, out, err = run("rollback", model, "--stage", "staging", *options, "--project", work.folder)
    assert work.state() == before
    assert found == code, out + err
    assert "Traceback" not in err
    return out if code == 0 else err


def test_without_commit_it_shows_what_it_would_do(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    out = rollback(work)
    assert '-    a: {version: "v2", replicas: 2}\n+    a: {version: "v1", replicas: 2}\n' in out
    assert "takes a in staging from v2 back to v1. Nothing was changed" in out
    assert work.branches == {MAIN}


def test_commit_makes_a_real_revert_on_a_branch(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    released = work.release("staging", "Release v2", a=flow("v2"))
    out = rollback(work, "--commit")
    assert "git push --set-upstream origin rollback/staging/a/v1" in out
    (commit,) = Repository(tmp_path).log("-1", "rollback/staging/a/v1")
    assert commit.parents == (released,)
    assert commit.subject == 'Revert "Release v2"'
    assert commit.body.startswith(f"This reverts commit {released}.")
    assert commit.trailers == {"Model": "a", "Version": "v1", "Replaces": "v2", "To": "staging"}
    work.git("merge", "--quiet", "--ff-only", "rollback/staging/a/v1")
    assert work.text(STAGING) == stack({"a": flow("v1")})


def test_a_rollback_of_a_rollback(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    for version, forward in (("v1", False), ("v2", True), ("v1", False), ("v2", True)):
        if forward:
            out = rollback(work)
            assert "it took a in staging from v2 to v1, and v2 would come back.\n" in out
            assert "from v1 forward again to v2. Nothing was changed; --commit, with --reason makes" in out
            refused = rollback(work, "--commit", code=1)
            assert (
                "is itself a rollback: it took a in staging from v2 to v1, and v2 would come back. Fix:"
                in refused
            )
            assert work.branches == {MAIN}
        rollback(work, "--commit", *(("--reason", "v1 is\nworse") if forward else ()))
        work.git("merge", "--quiet", "--ff-only", f"rollback/staging/a/{version}")
        assert work.text(STAGING) == stack({"a": flow(version)})
        (commit,) = Repository(tmp_path).log("-1")
        assert commit.trailers.get("Reason") == ("v1 is worse" if forward else None)
        work.git("branch", "-D", f"rollback/staging/a/{version}")


def test_a_rollback_that_a_merge_brought_is_one_too(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", a=flow("v2"))
    work.git("checkout", "--quiet", MAIN)
    work.merge("side")
    rollback(work, "--commit")
    work.merge("rollback/staging/a/v1")
    assert "and v2 would come back. Fix:" in rollback(work, "--commit", code=1)


def test_a_release_that_a_merge_brought(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", "One", a=flow("v2"))
    work.release("staging", "Two", a=flow("v3"))
    work.git("checkout", "--quiet", MAIN)
    merged = work.merge("side")
    out = rollback(work, "--commit")
    assert f"reverts {merged[:10]}, which takes a in staging from v3 back to v1" in out
    (commit,) = Repository(tmp_path).log("-1", "rollback/staging/a/v1")
    assert f"This reverts commit {merged}, reversing" in commit.body


def test_later_changes_of_other_models_stay_even_on_the_next_line(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"), c=flow("v1"))
    released = work.release("staging", a=flow("v1"), b=flow("v2"), c=flow("v1"))
    work.release("staging", a=flow("v7"), b=flow("v2"), c=flow("v8"))
    rollback(work, "--commit", model="b")
    assert work.git("show", f"rollback/staging/b/v1:{STAGING}") + "\n" == stack(
        {"a": flow("v7"), "b": flow("v1"), "c": flow("v8")}
    )
    assert f"This reverts commit {released}." in work.git("log", "-1", "--format=%b", "rollback/staging/b/v1")


def test_what_else_the_commit_changed_is_named(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    staging = stack({"a": '{version: "v2", replicas: 9, port: 90}', "b": flow("v3"), "c": flow("v4")})
    production = stack({"a": flow("v2"), "b": flow("v1")}, "production")
    work.commit(
        "Much",
        {
            STAGING: staging.replace("namespace: ml-staging", "namespace: other"),
            "Pulumi.production.yaml": production,
            "models/c.yaml": MODEL,
        },
    )
    err = rollback(work, "--commit", code=1)
    for line in (
        "the change of Pulumi.production.yaml",
        "the change of models/c.yaml",
        "staging: a: port",
        "staging: a: replicas 2 to 9",
        "staging: b v1 to v3",
        "staging: c nothing to v4",
        "staging: config.ml-deployments:namespace",
    ):
        assert f"  {line}\n" in err
    assert "delivery promote a --from STAGE --to staging --version v1" in err
    assert work.branches == {MAIN}


def test_a_merge_that_changed_both_stages_is_refused(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", a=flow("v2"))
    work.commit("Both", {"Pulumi.production.yaml": stack({"a": flow("v2")}, "production")})
    work.git("checkout", "--quiet", MAIN)
    work.merge("side")
    assert "would also undo:\n  the change of Pulumi.production.yaml\n" in rollback(work, code=1)


def test_an_edit_by_hand_since_is_a_conflict_that_names_it(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", "Release v2", a=flow("v2"))
    edited = work.release("staging", "More replicas", a=flow("v2", 9))
    err = rollback(work, "--commit", code=1)
    assert "a was edited in Pulumi.staging.yaml since" in err
    assert f"  {edited[:10]} More replicas (Ada Example <ada@example.com>)\n" in err
    assert (
        'Fix: write version: "v1" into Pulumi.staging.yaml in a separate commit with the trailer `Reverts: '
        in err
    )
    assert work.branches == {MAIN}


def test_an_edit_of_the_version_by_hand_is_the_release_to_revert(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", "Promote", a=flow("v2"))
    work.release("staging", "By hand", a=flow("v3"))
    assert "from v3 back to v2" in rollback(work)


def test_an_old_version_that_is_no_longer_valid(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a='{version: "v1", replicas: 2}')
    work.commit("Bad", {STAGING: stack({"a": '{version: "latest", replicas: 2}'})})
    work.release("staging", a=flow("v2"))
    err = rollback(work, code=1)
    assert "after the revert staging would not be valid" in err
    assert 'must name one version; "latest"' in err


@pytest.mark.parametrize("removed", [True, False])
def test_nothing_to_go_back_to(tmp_path: Path, removed: bool) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    if removed:
        work.release("staging", b=flow("v1"))
    err = rollback(work, code=1)
    assert ("does not run a since" if removed else "v1 is the first version of a in staging") in err


def test_a_shallow_clone_says_how_to_get_the_rest(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "full")
    work.release("staging", a=flow("v2"))
    shallow = work.clone(tmp_path / "shallow", "--depth=1")
    assert "Fix: `git fetch --unshallow`" in rollback(shallow, code=1)


def test_a_detached_head_is_enough(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    work.git("checkout", "--quiet", "--detach")
    rollback(work, "--commit")
    assert work.branches == {MAIN, "rollback/staging/a/v1"}


def test_uncommitted_edits_and_a_branch_that_exists(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    rollback(work, "--commit")
    assert "the branch rollback/staging/a/v1 exists already. Fix:" in rollback(work, "--commit", code=1)
    (tmp_path / STAGING).write_text(stack({"a": flow("v9")}))
    assert "has edits that are not committed" in rollback(work, "--commit", code=1)


def test_hooks_of_the_users_do_not_stop_it(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    rollback(work, "--commit")


def test_wrong_usage(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    assert run("rollback", "a", "--stage", "nowhere", "--project", work.folder)[0] == 2
    assert run("rollback", "a", "--project", work.folder)[0] == 2
    assert run("rollback", "a", "--stage", "staging", "--reason", " ", "--project", work.folder)[0] == 2
