"""Who released what, in histories with merges."""

from pathlib import Path

from delivery.history.model_history import ChangeKind
from tests.support.repositories import MAIN, Work, changes, flow, stack


def test_a_merge_counts_when_it_came_and_names_who_made_it(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", "Try", a=flow("v2"), b=flow("v1"))
    made = work.commit(
        "Really", {"Pulumi.staging.yaml": stack({"a": flow("v3"), "b": flow("v1")})}, "Bo <bo@example.com>"
    )
    work.commit("Elsewhere", {"README": "x"})
    work.git("checkout", "--quiet", MAIN)
    work.release("production", "Meanwhile", a=flow("v1"), b=flow("v8"))
    merged = work.merge("side")
    (newest, *older) = changes(work, "a", "staging")
    assert (newest.commit.revision, newest.commit.author) == (made, "Bo <bo@example.com>")
    assert newest.merge is not None
    assert (newest.merge.revision, newest.when) == (merged, "2023-11-15T04:13:20+00:00")
    assert (newest.before and newest.before.version, newest.after and newest.after.version) == ("v1", "v3")
    assert [change.kind for change in older] == [ChangeKind.ADDED]
    assert [c.commit.subject for c in changes(work, "b")] == ["Meanwhile", "Start", "Start"]


def test_a_merge_that_changes_both_stages(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", "To staging", a=flow("v2"))
    work.release("production", "To production", a=flow("v2"))
    work.git("checkout", "--quiet", MAIN)
    merged = work.merge("side")
    found = [c for c in changes(work) if c.merge]
    assert {(c.stage, c.commit.subject) for c in found} == {
        ("staging", "To staging"),
        ("production", "To production"),
    }
    assert {c.merge.revision for c in found if c.merge} == {merged}


def test_what_a_merge_resolved_by_itself_is_the_merges(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", "Side", a=flow("v2"))
    work.git("checkout", "--quiet", MAIN)
    work.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    merged = work.release("staging", "Resolved", a=flow("v9"))
    newest = changes(work, "a", "staging")[0]
    assert (newest.commit.revision, newest.merge, newest.after and newest.after.version) == (
        merged,
        None,
        "v9",
    )
