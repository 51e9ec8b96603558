"""The configuration of a user and of a repository changes nothing of what is read, and runs nothing."""

import os
from pathlib import Path

import pytest

from delivery.git import environment
from delivery.git.repository import Repository
from delivery.history.data import history_data
from delivery.history.model_history import history
from delivery.releases.changes import stages_at
from delivery.releases.rollback import keep, rollback
from tests.support.projects import MODEL
from tests.support.repositories import Work, flow, git, init, stack
from tests.unit.commands.test_delivery import run

CONFIGURATIONS = [
    "diff.relative=true",
    "diff.renames=copies",
    "diff.noprefix=true",
    "diff.external=false",
    "log.date=relative",
    "log.decorate=full",
    "log.diffMerges=off",
    "log.follow=true",
    "log.showRoot=false",
    "log.showSignature=true",
    "log.mailmap=false",
    "log.abbrevCommit=true",
    "format.pretty=oneline",
    "i18n.logOutputEncoding=latin1",
    "i18n.commitEncoding=latin1",
    "trailer.separators==",
    "trailer.gate.key=Other",
    "color.ui=always",
    "core.abbrev=5",
    "core.quotePath=true",
    "core.ignoreCase=true",
    "core.untrackedCache=true",
    "core.splitIndex=true",
    "core.preloadIndex=false",
    "core.fsmonitor=true",
    "core.pager=false",
    "pager.log=false",
    "status.relativePaths=false",
    "status.branch=true",
    "status.showStash=true",
    "status.renames=copies",
    "tag.sort=-version:refname",
    "versionsort.suffix=-",
    "feature.manyFiles=true",
    "commit.cleanup=strip",
    "core.commentChar=R",
    "alias.log=!false",
    "alias.status=!false",
    "transfer.hideRefs=refs/tags",
    "grep.patternType=perl",
]
VARIABLES = {
    **dict.fromkeys(sorted(environment._DROPPED), "/nowhere"),
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NOGLOB_PATHSPECS": "1",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_GLOB_PATHSPECS": "1",
    "GIT_GRAFT_FILE": "/nowhere",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "false",
    "GIT_TRACE": "1",
    "GIT_TRACE_SETUP": "1",
    "GIT_FLUSH": "0",
    "LANGUAGE": "de",
    "LC_ALL": "de_DE.UTF-8",
}
# Every kind that a command used here could run: https://git-scm.com/docs/githooks
HOOKS = """
applypatch-msg pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit pre-rebase post-checkout post-merge
pre-push reference-transaction push-to-checkout pre-auto-gc post-rewrite post-index-change fsmonitor-watchman
"""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A project of the test."""
    return _released(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A project that no test changes."""
    return _released(tmp_path_factory.mktemp("shared"))


def _released(tmp_path: Path) -> Work:
    """A project in a folder of its repository, with releases, a merge, a revert, tags and names beyond ASCII."""
    top = tmp_path / "repository"
    top.mkdir()
    init(top)
    work = Work(top)
    folder = top / "teams" / "ml"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "a.yaml").write_text(MODEL)
    file = "teams/ml/Pulumi.staging.yaml"
    work.commit("Start", {file: stack({"a": flow("v1")})})
    accented = "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"
    message = f"Release\n\nModel: a\nGate: f1 0.9\nReason: {accented} said so"
    work.commit(message, {file: stack({"a": flow("v2")})}, f"{accented} <zoe@example.com>")
    work.git("checkout", "--quiet", "-b", "side")
    work.commit("Side\n\nReverts: " + work.head[:12], {file: stack({"a": flow("v1")})})
    work.git("checkout", "--quiet", "main")
    work.merge("side")
    work.commit("Again", {file: stack({"a": flow("v3")})})
    work.folder = folder
    assert run("tag", "staging", "--project", folder)[0] == 0
    work.git("tag", "odd")
    return work


@pytest.mark.parametrize("setting", CONFIGURATIONS)
def test_what_is_read_is_the_same(
    shared: Work, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = history_data(history(Repository(shared.folder)))
    assert [change["to"]["version"] for change in before["changes"]] == ["v3", "v1", "v2", "v1"]
    assert before["changes"][0]["deployments"]
    assert before["changes"][2]["gate"] == "f1 0.9"
    file = tmp_path / "config"
    git(shared.folder, "config", "--file", file, *setting.split("=", 1))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    repository = Repository(shared.folder)
    assert history_data(history(repository)) == before
    assert repository.changed() == []
    assert stages_at(repository, "HEAD") == ("staging",)


@pytest.mark.parametrize("variable", VARIABLES)
def test_variables_change_nothing(shared: Work, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = history_data(history(Repository(shared.folder)))
    monkeypatch.setenv(variable, VARIABLES[variable])
    repository = Repository(shared.folder)
    assert history_data(history(repository)) == before
    assert repository.changed() == []
    with repository.at("HEAD") as tree:
        (tree / "models" / "a.yaml").write_text("")
        assert Repository(tree).changed() == ["teams/ml/models/a.yaml"]


@pytest.fixture
def traps(work: Work, tmp_path: Path) -> Path:
    """A repository that would run a program wherever its configuration can name one; returns what the program makes."""
    sprung = tmp_path / "sprung"
    trap = work.folder.parents[1] / "trap.sh"
    trap.write_text(f'#!/bin/sh\necho "$0" >> {sprung}\nexit 1\n')
    trap.chmod(0o755)
    hooks = work.folder.parents[1] / "hooks"
    hooks.mkdir()
    for name in HOOKS.split():
        (hooks / name).symlink_to(trap)
    work.commit("Traps", {"../../.gitattributes": "*.yaml diff=trap\n"})
    for setting in (
        "core.hooksPath=hooks",
        f"core.fsmonitor={trap}",
        f"core.editor={trap}",
        f"sequence.editor={trap}",
        f"core.pager={trap}",
        f"pager.log={trap}",
        f"diff.external={trap}",
        f"diff.trap.command={trap}",
        f"diff.trap.textconv={trap}",
        f"gpg.program={trap}",
        "log.showSignature=true",
        f"core.askPass={trap}",
        f"alias.log=!{trap}",
        f"trailer.reason.command={trap}",
        f"trailer.model.cmd={trap}",
        f"interactive.diffFilter={trap}",
        f"merge.tool={trap}",
    ):
        work.git("config", *setting.split("=", 1))
    return sprung


def test_a_repository_runs_nothing(work: Work, traps: Path, tmp_path: Path) -> None:
    repository = Repository(work.folder)
    assert repository.changed() == []
    made = rollback(repository, "a", "staging", "it was slow")
    keep(repository, made)
    with repository.at("HEAD"):
        pass
    work.git(
        "-c", "core.hooksPath=/dev/null", "clone", "--quiet", "--bare", "../..", str(tmp_path / "remote")
    )
    work.git("remote", "add", "origin", str(tmp_path / "remote"))
    for command in (
        ["check"],
        ["history"],
        ["tag", "staging", "--push", "origin"],
        ["review", "HEAD~1..HEAD"],
        [
            "promote",
            "a",
            "--from",
            "staging",
            "--to",
            "staging",
            "--version",
            "v9",
            "--reason",
            "x",
            "--commit",
        ],
    ):
        run(*command, "--project", work.folder)
    assert not traps.exists(), traps.read_text()


def test_a_repository_that_a_commit_contains_is_not_read(tmp_path: Path) -> None:
    """A folder with HEAD, objects and refs is a repository to git, and its configuration can name programs."""
    work = Work.new(tmp_path / "outer")
    inner = work.folder / "deploy"
    git(tmp_path, "init", "--quiet", "--bare", str(inner))
    for setting in (
        ("core.bare", "false"),
        ("core.worktree", "."),
        ("core.fsmonitor", f"touch {tmp_path}/sprung; false"),
    ):
        git(tmp_path, "config", "--file", str(inner / "config"), *setting)
    code, _, err = run("history", "--project", inner)
    assert code == 1
    assert "is a bare repository, or part of one" in err
    assert not (tmp_path / "sprung").exists()


def test_a_rollback_is_whole_whatever_the_user_set(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("revert.reference=true", "trailer.ifmissing=doNothing", "commit.cleanup=strip"):
        work.git("config", *setting.split("=", 1))
    monkeypatch.setenv("GIT_EDITOR", "false")
    made = rollback(Repository(work.folder), "a", "staging", "it was slow")
    (commit,) = Repository(work.folder).log("-1", made.commit)
    assert commit.subject == 'Revert "Again"'
    assert commit.body.startswith(f"This reverts commit {made.undone}.")
    assert commit.trailers == {
        "Model": "a",
        "Version": "v1",
        "Replaces": "v3",
        "To": "staging",
        "Reason": "it was slow",
    }


@pytest.mark.parametrize(
    "setting", ["fetch.prune", "fetch.pruneTags", "remote.origin.prune", "push.followTags"]
)
def test_tags_that_are_not_pushed_stay_and_are_not_pushed(work: Work, tmp_path: Path, setting: str) -> None:
    work.git("clone", "--quiet", "--bare", "--no-tags", "../..", str(tmp_path / "remote"))
    remote = Work(tmp_path / "remote")
    for name in remote.tags:
        remote.git("tag", "--delete", name)
    work.git("remote", "add", "origin", str(tmp_path / "remote"))
    work.git("config", setting, "true")
    work.git("tag", "--annotate", "--message=x", "unrelated")
    before = set(work.tags)
    assert run("tag", "staging", "--push", "origin", "--project", work.folder)[0] == 0
    assert set(work.tags) == before
    assert remote.tags == ["staging/a/v3"]


def test_the_newest_tag_is_the_newest_in_every_time_zone(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    for version, when in (("v1", "2023-11-15T01:00:00+00:00"), ("v2", "2023-11-14T23:30:00-05:00")):
        work.release("staging", a=flow(version))
        git(tmp_path, "tag", "-a", "-m", "x", f"staging/a/{version}", GIT_COMMITTER_DATE=when)
    assert run("tag", "staging", "--project", tmp_path)[1] == "every model of staging is tagged already\n"


def test_variables_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CI systems set to log in, or to trust a folder, is not removed."""
    for name in (
        "GIT_CONFIG_COUNT",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "HOME",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    ):
        monkeypatch.setenv(name, "x")
        assert environment.environment({})[name] == "x"
    assert os.environ["PATH"] == environment.environment({})["PATH"]
