"""Every form of repository, checkout and history that git knows is followed, or refused with its true reason."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.errors import UserError
from components.files.sources import Sources
from components.stack import load_stack
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.history.model_history import ChangeKind, history
from delivery.releases.rollback import rollback
from tests.support.projects import MODEL
from tests.support.repositories import MAIN, Work, changes, flow, git, identify, stack
from tests.unit.commands.test_delivery import run

Form = Callable[[Path], Path]


def released(folder: Path, *options: str) -> Work:
    """A project with three versions, the last one by a merge, and a tag."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", MAIN, *options)
    identify(folder)
    git(folder, "config", "uploadpack.allowFilter", "true")
    work = Work(folder)
    work.commit("v1", {"models/a.yaml": MODEL, "Pulumi.staging.yaml": stack({"a": flow("v1")})})
    work.release("staging", a=flow("v2"))
    assert run("tag", "staging", "--project", folder)[0] == 0
    work.git("checkout", "--quiet", "-b", "side")
    work.release("staging", a=flow("v3"))
    work.git("checkout", "--quiet", MAIN)
    work.merge("side")
    return work


def _sha256(folder: Path) -> Path:
    return released(folder / "work", "--object-format=sha256").folder


def _separate(folder: Path) -> Path:
    return released(folder / "work", f"--separate-git-dir={folder / 'elsewhere'}").folder


def _linked_to_bare(folder: Path) -> Path:
    released(folder / "work").git("clone", "--quiet", "--bare", ".", str(folder / "bare"))
    git(folder / "bare", "worktree", "add", "--quiet", folder / "linked", MAIN)
    identify(folder / "linked")
    return folder / "linked"


def _bare_below(folder: Path) -> Path:
    """The files next to the bare repository that belongs to them, as some keep their work trees."""
    released(folder / "work").git("clone", "--quiet", "--bare", ".", str(folder / "both" / ".bare"))
    (folder / "both" / ".git").write_text("gitdir: ./.bare\n")
    git(folder / "both", "worktree", "add", "--quiet", "main-tree", MAIN)
    identify(folder / "both" / "main-tree")
    return folder / "both" / "main-tree"


def _submodule(folder: Path) -> Path:
    inner = released(folder / "work")
    outer = Work.new(folder / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.folder.as_uri(), "ml")
    git(outer.folder / "ml", "fetch", "--quiet", "--tags")
    identify(outer.folder / "ml")
    return outer.folder / "ml"


def _moved_git(folder: Path) -> Path:
    work = released(folder / "before")
    work.folder.rename(folder / "after")
    return folder / "after"


def _cloned(*options: str) -> Form:
    def build(folder: Path) -> Path:
        return released(folder / "work").clone(folder / "clone", *options).folder

    return build


def _after(*commands: str) -> Form:
    def build(folder: Path) -> Path:
        work = released(folder / "work")
        for command in commands:
            work.git(*command.split())
        return work.folder

    return build


def _merge_ref(folder: Path) -> Path:
    """What CI systems check out of a pull request: a detached merge that no branch has."""
    work = released(folder / "work")
    work.git("update-ref", "refs/pull/7/merge", MAIN)
    clone = folder / "clone"
    clone.mkdir()
    git(clone, "init", "--quiet")
    identify(clone)
    git(clone, "remote", "add", "origin", work.folder.as_uri())
    git(clone, "fetch", "--quiet", "--tags", "origin", "+refs/pull/7/merge:refs/remotes/pull/7/merge")
    git(clone, "checkout", "--quiet", "--force", "refs/remotes/pull/7/merge")
    return clone


def _octopus(folder: Path) -> Path:
    work = released(folder / "work")
    for branch in ("one", "two"):
        work.git("checkout", "--quiet", "-b", branch, MAIN)
        work.commit(branch, {branch: branch})
    work.git("checkout", "--quiet", MAIN)
    work.git("merge", "--quiet", "--no-ff", "--message=Octopus", "one", "two")
    return work.folder


def _two_roots(folder: Path) -> Path:
    work = released(folder / "work")
    other = Work.new(folder / "other", b=flow("v1"))
    other.git("rm", "-r", "--quiet", ".")
    other.commit("Only this", {"notes": "x"})
    work.git("fetch", "--quiet", str(other.folder), f"{MAIN}:other")
    work.git("merge", "--quiet", "--allow-unrelated-histories", "--no-ff", "--message=Join", "other")
    return work.folder


def _modes(folder: Path) -> Path:
    work = released(folder / "work")
    (work.folder / "Pulumi.staging.yaml").chmod(0o755)
    work.commit("Executable", {})
    return work.folder


def _odd_path(folder: Path) -> Path:
    return released(folder / 'a "b" \N{LATIN SMALL LETTER E WITH ACUTE} \\ c').folder


def _locked(folder: Path) -> Path:
    work = released(folder / "work")
    (work.folder / ".git" / "index.lock").write_text("")
    return work.folder


def _read_only(folder: Path) -> Path:
    work = released(folder / "work")
    (work.folder / ".git" / "index").chmod(0o444)
    return work.folder


FORMS: dict[str, Form] = {
    "objects with SHA-256": _sha256,
    "a git folder elsewhere": _separate,
    "a work tree of a bare repository": _linked_to_bare,
    "a work tree below a bare repository": _bare_below,
    "a submodule of another": _submodule,
    "a folder that was moved": _moved_git,
    "a path with odd characters": _odd_path,
    "a single branch": _cloned("--single-branch"),
    "without blobs": _cloned("--filter=blob:none"),
    "without trees": _cloned("--filter=tree:0"),
    "without blobs, and sparse": _cloned("--filter=blob:none", "--sparse"),
    "large blobs left out": _cloned("--filter=blob:limit=1"),
    "borrowed objects": _cloned("--shared"),
    "a detached head": _after("checkout --quiet --detach"),
    "the merge of a pull request": _merge_ref,
    "packed references": _after("pack-refs --all"),
    "packed objects with a graph of commits": _after("gc --quiet", "commit-graph write --changed-paths"),
    "a split index": _after("update-index --split-index"),
    "a sparse index": _after("sparse-checkout init --cone --sparse-index"),
    "an untracked cache": _after("update-index --untracked-cache --force-untracked-cache"),
    "configuration of a work tree": _after("config extensions.worktreeConfig true"),
    "notes": _after("notes add -m note"),
    "an empty commit": _after("commit --quiet --allow-empty --allow-empty-message --message="),
    "a merge of three": _octopus,
    "two roots": _two_roots,
    "another mode of a file": _modes,
    "a lock that another git left": _locked,
    "a git that may not write": _read_only,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_followed(tmp_path: Path, form: str) -> None:
    folder = FORMS[form](tmp_path)
    repository = Repository(folder)
    found = history(repository).only("a", "staging").changes
    assert [(c.kind, c.after and c.after.version) for c in found] == [
        (ChangeKind.VERSION, "v3"),
        (ChangeKind.VERSION, "v2"),
        (ChangeKind.ADDED, "v1"),
    ]
    assert found[0].merge is not None
    assert [d.name for d in found[1].deployments] == ["staging/a/v2"]
    if "sparse" not in form:
        assert repository.changed() == []
    with sources_at(repository, "HEAD") as sources:
        assert load_stack(sources, "staging").settings.models[0].version == "v3"
    with repository.at(found[1].commit.revision) as tree:
        assert load_stack(Sources.of(tree), "staging").settings.models[0].version == "v2"
    made = rollback(repository, "a", "staging")
    assert made.after.version == "v2"
    (commit,) = repository.log("-1", made.commit)
    assert commit.body.startswith(f"This reverts commit {made.undone}")


def _ownership(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def _config(*settings: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def change(folder: Path, _: pytest.MonkeyPatch) -> None:
        for setting in settings:
            git(folder, "config", "--file", folder / ".git" / "config", *setting.split("="))

    return change


def _bare(folder: Path, _: pytest.MonkeyPatch) -> None:
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in list((folder / ".git").iterdir()):
        path.rename(folder / path.name)
    (folder / ".git").rmdir()
    git(folder.parent, "config", "--file", folder / "config", "core.bare", "true")


def _elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".git").rename(folder.parent / "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(folder.parent / "elsewhere"))


def _without_head(folder: Path, _: pytest.MonkeyPatch) -> None:
    (folder / ".git" / "HEAD").unlink()


REFUSED: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], None], str, str]] = {
    "of another user": (
        _ownership,
        "belongs to another user, so git does not read it (safe.directory)",
        "git config --global --add safe.directory ",
    ),
    "bare": (_bare, "is a bare repository, or part of one", "git worktree add"),
    "a newer format": (
        _config("core.repositoryFormatVersion=1", "extensions.refStorage2=x"),
        "has a format that this version of git does not read",
        "install a newer git",
    ),
    "a much newer format": (
        _config("core.repositoryFormatVersion=99"),
        "has a format that this version of git does not read",
        "install a newer git",
    ),
    "a broken configuration": (
        _config("core.bare=perhaps"),
        "git cannot read the repository",
        "repair what git",
    ),
    "named by a variable": (_elsewhere, "GIT_DIR is set, and is not followed", "in a clone"),
    "without a head": (_without_head, "is in no git repository", "in a clone"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_cannot_be_read_says_why(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = released(tmp_path / "work").folder
    make, reason, fix = REFUSED[form]
    make(folder, monkeypatch)
    with pytest.raises(UserError) as caught:
        Repository(folder)
    assert reason in caught.value.reason
    assert fix in caught.value.fix


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
