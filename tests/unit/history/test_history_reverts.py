"""Which release a commit reverts, from git alone."""

from pathlib import Path

from tests.support.repositories import MAIN, Work, changes, flow


def test_a_trailer_marks_a_revert_as_gits_own_sentence_does(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    undone = work.release("staging", a=flow("v2"))
    revision = work.release("staging", f"Back to v1\n\nReverts: {undone[:12]}", a=flow("v1"))
    back, forward, _ = changes(work, "a", "staging")
    assert (back.reverts, forward.reverted_by) == (undone, revision)


def test_reverts_and_reverts_of_reverts(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    released = work.release("staging", "Release v2", a=flow("v2"))
    for _ in range(2):
        work.hours += 1
        work.git("revert", "--no-edit", "HEAD")
    reapplied, reverted, release, _ = changes(work, "a", "staging")
    assert (reverted.reverts, reverted.reapplies) == (released, None)
    assert reapplied.reverts == reverted.commit.revision
    assert reapplied.reapplies == released
    assert release.reverted_by == reverted.commit.revision
    assert reverted.reverted_by == reapplied.commit.revision
    assert changes(work, "a", "production")[0].reverts is None


def test_a_revert_of_a_merge_and_one_by_a_merge(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", "Side", a=flow("v2"))
    work.git("checkout", "--quiet", MAIN)
    merged = work.merge("side")
    work.git("checkout", "--quiet", "-b", "back")
    work.git("revert", "--no-edit", "-m", "1", merged)
    work.git("checkout", "--quiet", MAIN)
    work.merge("back")
    reverted, release, _ = changes(work, "a", "staging")
    assert reverted.reverts == merged
    assert release.reverted_by == reverted.commit.revision


def test_a_message_that_names_what_it_did_not_revert(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    other = work.release("production", "Release", a=flow("v2"))
    work.release("staging", f"Odd\n\nThis reverts commit {other}.", a=flow("v2"))
    gone = "1" * 40
    work.release("staging", f"Odd\n\nThis reverts commit {gone}.", a=flow("v3"))
    assert [c.reverts for c in changes(work, "a", "staging")] == [gone, None, None]
