"""Names, times and states of a repository that are odd: each means what it says, or is refused with its reason."""

import os
from pathlib import Path

import pytest

from components.errors import UserError
from delivery.git.repository import Repository
from delivery.history.model_history import history
from tests.support.repositories import changes, flow, git, stack
from tests.unit.commands.test_delivery import run
from tests.unit.git.test_forms import released


def test_a_branch_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch", "trunk")
    with pytest.raises(UserError, match=r"no commit of this repository: trunk has none yet. Fix: commit"):
        Repository(tmp_path).resolve("HEAD")


@pytest.mark.parametrize("name", ["refs/tags/origin/main", "refs/heads/origin/main"])
def test_a_name_that_a_tag_or_branch_took_over_is_refused(tmp_path: Path, name: str) -> None:
    """Otherwise who may push a tag chooses what `origin/main..HEAD` compares."""
    clone = released(tmp_path / "work").clone(tmp_path / "clone")
    there = clone.git("rev-parse", "origin/main")
    head = clone.release("staging", a=flow("v9"))
    clone.git("update-ref", name, head)
    repository = Repository(clone.folder)
    with pytest.raises(UserError) as caught:
        repository.resolve("origin/main")
    assert caught.value.reason.startswith("origin/main is the name of more than one thing in git: ")
    assert name in caught.value.reason
    assert repository.resolve("refs/remotes/origin/main") == there
    code, _, err = run("review", "origin/main..HEAD", "--project", clone.folder)
    assert (code, "more than one thing" in err) == (1, True)


def test_other_names_of_the_head_and_of_digits_mean_what_they_say(tmp_path: Path) -> None:
    work = released(tmp_path)
    first = work.git("rev-list", "--max-parents=0", "HEAD")
    for name in ("refs/heads/HEAD", "refs/tags/HEAD", f"refs/tags/{work.head}", f"refs/heads/{work.head}"):
        work.git("update-ref", name, first)
    repository = Repository(tmp_path)
    assert repository.resolve("HEAD") == work.head
    assert repository.resolve(work.head) == work.head


def test_a_commit_that_a_clone_replaces_is_what_its_digits_say(tmp_path: Path) -> None:
    work = released(tmp_path)
    bad = work.git(
        "commit-tree", "-m", "other", f"{work.git('rev-list', '--max-parents=0', 'HEAD')}^{{tree}}"
    )
    work.git("replace", work.head, bad)
    (tmp_path / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / ".git" / "info" / "grafts").write_text(f"{work.head}\n")
    assert [c.after and c.after.version for c in changes(work, "a", "staging")] == ["v3", "v2", "v1"]
    with Repository(tmp_path).at("HEAD") as tree:
        assert '"v3"' in (tree / "Pulumi.staging.yaml").read_text()
    out = run("history", "--project", tmp_path)[1]
    assert "This clone replaces commits by others" in out


@pytest.mark.parametrize(
    "when", ["-86400 +0000", "253402300800 +0000", "x +0000", "1700000000 +9999", "1 -0000"]
)
def test_a_time_that_no_calendar_has(tmp_path: Path, when: str) -> None:
    work = released(tmp_path)
    text = work.git("cat-file", "commit", work.head)
    lines = [
        f"{line.rsplit('> ', 1)[0]}> {when}" if line.startswith(("author ", "committer ")) else line
        for line in text.splitlines()
    ]
    (tmp_path / ".git" / "odd").write_text("\n".join([*lines, ""]))
    work.git(
        "reset", "--quiet", "--soft", work.git("hash-object", "-t", "commit", "-w", "--literally", ".git/odd")
    )
    code, out, err = run("history", "--project", tmp_path)
    assert (code, err) == (0, "")
    assert "%" not in out
    assert run("history", "--json", "--project", tmp_path)[0] == 0
    assert run("history", "--html", tmp_path / ".git" / "page.html", "--project", tmp_path)[0] == 0
    code, _, err = run("tag", "staging", "--project", tmp_path)
    # A time before 1970 is one that git itself does not take.
    assert code == 0 or "Timestamp too large" in err


def test_the_clone_that_lacks_blobs_and_cannot_fetch_them_says_so(tmp_path: Path) -> None:
    work = released(tmp_path / "work")
    clone = work.clone(tmp_path / "clone", "--filter=blob:none")
    work.folder.rename(tmp_path / "gone")
    with pytest.raises(UserError) as caught:
        history(Repository(clone.folder))
    assert "this clone has only a part of the objects" in caught.value.reason
    assert "git fsck" not in caught.value.fix


def test_a_hook_of_a_commit_that_runs_a_check(tmp_path: Path) -> None:
    """`git commit FILE` gives its hooks an index of their own."""
    work = released(tmp_path)
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    python = f"{Path(__file__).parents[3] / '.venv' / 'bin' / 'python'} -m delivery"
    hook.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={Path(__file__).parents[3]}\n{python} check --project {tmp_path} && "
        f"{python} history --project {tmp_path}\n"
    )
    hook.chmod(0o755)
    (tmp_path / "Pulumi.staging.yaml").write_text(stack({"a": flow("v4")}))
    work.git("commit", "--quiet", "--message=v4", "Pulumi.staging.yaml")
    assert changes(work, "a", "staging")[0].after is not None
    (tmp_path / "Pulumi.staging.yaml").write_text("config: [")
    done = os.system(f"cd {tmp_path} && git commit -qam broken >/dev/null 2>&1")
    assert done != 0
