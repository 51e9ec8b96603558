"""The git repository of a project."""

import os
from pathlib import Path

import pytest

from components.errors import UserError
from delivery.git.repository import Repository
from tests.support.repositories import Work, flow


def test_a_commit_is_read_whole(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    head = work.release("staging", "Bump a\n\nWhy: not\n\nModel: a\nGate: f1\n 0.9\nModel: b", a=flow("v2"))
    commit = Repository(tmp_path).log("-1")[0]
    assert (commit.revision, commit.subject, commit.author) == (
        head,
        "Bump a",
        "Ada Example <ada@example.com>",
    )
    assert commit.parents == (work.git("rev-parse", "HEAD^"),)
    assert commit.when == "2023-11-15T00:13:20+00:00"
    assert commit.trailers == {"Model": "b", "Gate": "f1 0.9"}
    assert commit.body.startswith("Why: not\n")


def test_messages_may_hold_control_characters_and_other_encodings(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.commit("odd \x1e \x1f \x1b[31m", {"x": "1"})
    work.git(
        "-c",
        "i18n.commitEncoding=latin-1",
        "commit",
        "--allow-empty",
        "-m",
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    )
    found = Repository(tmp_path).log()
    assert [commit.subject[:3] for commit in found] == ["caf", "odd", "Sta"]


def test_a_file_keeps_its_line_ends(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.commit("Windows", {"odd.txt": "a\r\nb"})
    repository = Repository(tmp_path)
    assert repository.file("HEAD", "odd.txt") == "a\r\nb"
    assert repository.file("HEAD", "none.txt") is None
    names = [work.git("rev-parse", f"HEAD:{name}") for name in ("odd.txt", "models/a.yaml")]
    assert repository.blobs([*names, names[0]])[names[0]] == "a\r\nb"


def test_a_blob_that_is_missing_is_named(tmp_path: Path) -> None:
    Work.new(tmp_path)
    with pytest.raises(UserError, match=r"1{40} cannot be read: .*missing.* Fix:"):
        Repository(tmp_path).blobs(["1" * 40])


def test_a_missing_repository_and_a_missing_git_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"is in no git repository \(.*\)\. Fix: run this in a clone"):
        Repository(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"git is not installed. Fix: install git"):
        Repository(tmp_path)


def test_a_project_may_be_a_folder_of_a_repository(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.git("init", "--quiet")
    inner = Work.new(tmp_path / "inner" / "project")
    inner.git("rev-parse", "HEAD")
    repository = Repository(tmp_path / "inner" / "project")
    with repository.at("HEAD") as tree:
        assert (tree / "models" / "a.yaml").is_file()
    assert not tree.exists()
    assert inner.git("worktree", "list").count("\n") == 0


def test_a_hook_of_the_users_sees_only_its_own_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work.new(tmp_path / "one")
    other = Work.new(tmp_path / "two", b=flow("v1"))
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git" / "index"))
    assert Repository(work.folder).top == work.folder.resolve()


def test_a_copy_of_a_commit_runs_no_hook(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    hook = tmp_path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with Repository(tmp_path).at(work.head) as tree:
        assert (tree / "Pulumi.staging.yaml").is_file()


def test_unknown_revisions_say_how_to_get_them(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "full")
    work.release("staging", a=flow("v2"))
    with pytest.raises(UserError, match="`git fetch` it"):
        Repository(work.folder).resolve("nowhere")
    with pytest.raises(UserError, match="names no commit"):
        Repository(work.folder).resolve("--all")
    shallow = work.clone(tmp_path / "shallow", "--depth=1")
    with pytest.raises(UserError, match="git fetch --unshallow"):
        Repository(shallow.folder).resolve("HEAD~1")


def test_branch_detached_head_and_changed_files(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    repository = Repository(tmp_path)
    assert (repository.branch, repository.changed(), repository.shallow) == ("main", [], False)
    work.git("checkout", "--quiet", "--detach")
    (tmp_path / "new file").write_text("")
    (tmp_path / "Pulumi.staging.yaml").write_text("")
    assert repository.branch is None
    assert repository.changed() == ["Pulumi.staging.yaml", "new file"]


def test_the_users_own_configuration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Work.new(tmp_path / "work")
    config = tmp_path / "config"
    config.write_text(
        "[log]\n\tshowRoot = false\n\tfollow = true\n\tshowSignature = true\n[color]\n\tui = always\n"
    )
    monkeypatch.setitem(os.environ, "GIT_CONFIG_GLOBAL", str(config))
    (commit,) = Repository(tmp_path / "work").log()
    assert commit.subject == "Start"
