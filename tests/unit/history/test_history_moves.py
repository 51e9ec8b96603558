"""A stack file is followed to where it was before: its project moved, or the file got another name."""

import json
from pathlib import Path

import pytest

from delivery.git.repository import Repository
from delivery.history.model_history import ChangeKind, history
from delivery.releases.rollback import rollback
from tests.support.repositories import MAIN, Work, changes, flow, stack
from tests.unit.commands.test_delivery import run

OLD, NEW = "Pulumi.staging.yaml", "teams/ml/Pulumi.staging.yaml"


def moved(work: Work, message: str = "Move", **models: str) -> Work:
    """The same project in a folder, by one commit, which may also release."""
    folder = work.folder / "teams" / "ml"
    folder.mkdir(parents=True)
    for part in ("models", "Pulumi.staging.yaml", "Pulumi.production.yaml"):
        work.git("mv", part, "teams/ml/")
    work.commit(message, {NEW: stack(models)} if models else {})
    inner = Work(folder)
    inner.hours = work.hours
    return inner


def versions(work: Work, stage: str = "staging") -> list[tuple[ChangeKind, str]]:
    return [(c.kind, c.after.version if c.after else "") for c in changes(work, "a", stage)]


V = ChangeKind.VERSION
A = ChangeKind.ADDED


def test_a_project_that_moved_into_a_folder(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    assert run("tag", "staging", "--project", tmp_path)[0] == 0
    work = moved(work)
    move = work.head
    work.release("staging", a=flow("v3"))
    assert versions(work) == [(V, "v3"), (V, "v2"), (A, "v1")]
    assert versions(work, "production") == [(A, "v1")]
    found = changes(work, "a", "staging")
    assert [d.name for d in found[1].deployments] == ["staging/a/v2"]
    code, out, _ = run("history", "--stage", "staging", "--project", work.folder)
    assert code == 0
    assert f"staging: the stack file was {OLD} before {move[:10]}; its history goes on there" in out
    said = json.loads(run("history", "--json", "--stage", "staging", "--project", work.folder)[1])
    assert said["moves"] == [{"stage": "staging", "from": OLD, "to": NEW, "commit": move}]


def test_a_move_that_also_releases(tmp_path: Path) -> None:
    work = moved(Work.new(tmp_path), a=flow("v2"))
    assert versions(work) == [(V, "v2"), (A, "v1")]


def test_a_project_that_moved_twice_and_back(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    inner = moved(work)
    inner.release("staging", a=flow("v3"))
    inner.git("mv", "Pulumi.staging.yaml", "../Pulumi.staging.yaml")
    inner.commit("Up", {})
    inner.git("mv", "../Pulumi.staging.yaml", "../../Pulumi.staging.yaml")
    inner.commit("Up again", {})
    work.hours = inner.hours
    work.release("staging", a=flow("v4"))
    assert versions(work) == [(V, "v4"), (V, "v3"), (V, "v2"), (A, "v1")]


def test_a_move_by_a_merge(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    side = work.release("staging", a=flow("v2"))
    inner = moved(work)
    last = inner.release("staging", a=flow("v3"))
    work.hours = inner.hours
    work.git("checkout", "--quiet", MAIN)
    work.release("production", a=flow("v5"))
    merge = work.merge("side")
    found = changes(inner, "a", "staging")
    newest = found[0]
    assert (newest.kind, newest.commit.revision, newest.merge and newest.merge.revision) == (V, last, merge)
    assert newest.before is not None
    assert (newest.before.version, len(found)) == ("v1", 2)
    assert side != last
    assert versions(inner, "production") == [(V, "v5"), (A, "v1")]


def test_a_stage_that_was_renamed(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    run("tag", "staging", "--project", tmp_path)
    work.git("mv", "Pulumi.staging.yaml", "Pulumi.qa.yaml")
    work.commit("Rename", {})
    work.release("qa", a=flow("v3"))
    assert versions(work, "qa") == [(V, "v3"), (V, "v2"), (A, "v1")]
    assert [d.name for d in changes(work, "a", "qa")[1].deployments] == ["staging/a/v2"]
    # The name is free again, and is another stage's now.
    work.release("staging", a=flow("v9"))
    assert versions(work, "staging") == [(A, "v9")]
    assert versions(work, "qa") == [(V, "v3"), (V, "v2"), (A, "v1")]


def test_a_new_stage_that_was_copied_has_no_past(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    work.commit("Copy", {"Pulumi.qa.yaml": work.text(OLD)})
    assert versions(work, "qa") == [(A, "v2")]


def test_a_file_of_another_name_is_not_a_stack_file(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.commit("Notes", {"notes/old.yaml": stack({"a": flow("v7")}, "qa")})
    work.git("mv", "notes/old.yaml", "Pulumi.qa.yaml")
    work.commit("Use", {})
    assert versions(work, "qa") == [(A, "v7")]


@pytest.mark.parametrize("later", [False, True])
def test_a_rollback_beyond_a_move(tmp_path: Path, *, later: bool) -> None:
    work = Work.new(tmp_path)
    undone = work.release("staging", "Release v2", a=flow("v2"))
    work = moved(work)
    if later:
        # What git itself calls a conflict.
        work.release("staging", a=flow("v2"), b=flow("v1"))
        (work.folder / "models" / "b.yaml").write_text((work.folder / "models" / "a.yaml").read_text())
        work.commit("Model b", {})
    made = rollback(Repository(work.folder), "a", "staging")
    assert (made.undone, made.before.version, made.after.version) == (undone, "v2", "v1")
    assert work.git("diff", "--name-only", f"{made.commit}^", made.commit) == NEW


def test_a_release_in_the_commit_of_the_move_is_not_undone_with_it(tmp_path: Path) -> None:
    work = moved(Work.new(tmp_path), "Move and release", a=flow("v2"))
    code, _, err = run("rollback", "a", "--stage", "staging", "--project", work.folder)
    assert code == 1
    assert "would also undo:" in err
    assert f"the change of {OLD}" in err
    assert "promote a --from STAGE --to staging --version v1" in err


def test_the_version_before_is_found_beyond_a_move(tmp_path: Path) -> None:
    work = moved(Work.new(tmp_path))
    work.release("staging", a=flow("v2"))
    work.git("checkout", "--quiet", "HEAD^")
    past = history(Repository(work.folder))
    assert past.previous_version("staging", "a", "v2") == "v1"
