"""Every form of repository, checkout and history that git knows is followed, or refused with its true reason."""

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
from tests.support.repositories import MAIN, Work, flow, git, identify, stack
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
