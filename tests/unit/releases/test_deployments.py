"""Tags of deployments."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.git.repository import Repository
from delivery.releases.deployments import deployments, tag_name
from tests.support.repositories import Work, flow
from tests.unit.commands.test_delivery import run

DIGESTS = [f"sha256:{digit * 64}" for digit in "12"]


def tag(work: Work, stage: str = "staging", *options: str) -> list[str]:
    code, out, err = run("tag", stage, *options, "--project", work.folder)
    assert code == 0, err
    return out.splitlines()


def test_each_model_is_tagged_once_at_the_deployed_commit(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v7", digest=DIGESTS[0]))
    assert tag(work) == ["staging/a/v1", "staging/b/v7"]
    assert tag(work) == ["every model of staging is tagged already"]
    assert work.git("rev-parse", "staging/b/v7^{commit}") == work.head
    assert work.git("cat-file", "-t", "staging/b/v7") == "tag"
    message = work.git("tag", "--list", "--format=%(contents)", "staging/b/v7")
    assert (
        message == f"Deployed b v7 to staging\n\nModel: b\nVersion: v7\nDigest: {DIGESTS[0]}\nStage: staging"
    )


def test_only_what_changed_is_tagged(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    tag(work)
    work.release("staging", a=flow("v2"), b=flow("v1", replicas=9))
    assert tag(work) == ["staging/a/v2"]
    assert tag(work, "production") == ["production/a/v1", "production/b/v1"]


def test_a_version_that_comes_back_is_counted(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    names = []
    for version in ("v1", "v2", "v1", "v2", "v1"):
        work.release("staging", a=flow(version))
        names += tag(work)
    assert names == ["staging/a/v1", "staging/a/v2", "staging/a/v1+2", "staging/a/v2+2", "staging/a/v1+3"]
    found = deployments(Repository(tmp_path))
    assert {(d.version, d.time) for d in found} == {("v1", 1), ("v1", 2), ("v1", 3), ("v2", 1), ("v2", 2)}


def test_another_digest_of_the_same_version_is_another_deployment(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    assert tag(work) == ["staging/a/v1"]
    for digest, made in ((DIGESTS[0], False), (DIGESTS[1], False)):
        work.release("staging", a=flow("v1", digest=digest))
        assert (tag(work) == ["staging/a/v1"]) is made
    work.release("staging", a=flow("v2", digest=DIGESTS[0]))
    tag(work)
    work.release("staging", a=flow("v2", digest=DIGESTS[1]))
    assert tag(work) == ["staging/a/v2+2"]


def test_an_older_commit_can_be_tagged_later(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    assert tag(work, "staging", "--commit", "HEAD^") == ["staging/a/v1"]
    assert tag(work) == ["staging/a/v2"]


def test_what_was_deployed_last_counts_also_when_its_commit_is_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    made = []
    for hour, revision in enumerate(("HEAD", "HEAD^", "HEAD^", "HEAD")):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2023-12-01T0{hour}:00:00+00:00")
        made.append(tag(work, "staging", "--commit", revision)[0])
    assert made == [
        "staging/a/v2",
        "staging/a/v1",
        "every model of staging is tagged already",
        "staging/a/v2+2",
    ]


@pytest.mark.parametrize(
    "version", ["v1..2", "a...b", "x.lock", "v1.x.lock", "A_b-c.1", "v1.", "v1..", "_v1", "v" * 128]
)
def test_versions_that_git_does_not_accept_as_a_name(tmp_path: Path, version: str) -> None:
    work = Work.new(tmp_path, a=flow(version))
    tag(work)
    work.release("staging", a=flow("other"))
    tag(work)
    work.release("staging", a=flow(version))
    tag(work)
    found = [(d.version, d.time) for d in deployments(Repository(tmp_path))]
    assert sorted(found) == sorted([(version, 1), ("other", 1), (version, 2)])


@settings(max_examples=25, deadline=None)
@given(st.from_regex(r"\A[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?\Z"), st.integers(1, 12))
def test_every_version_has_a_name_that_git_accepts(version: str, time: int) -> None:
    name = tag_name("staging", "a", version, time)
    subprocess.run(["git", "check-ref-format", f"refs/tags/{name}"], check=True)


def test_tags_go_to_a_remote_and_come_from_it(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "origin")
    first, second = (work.clone(tmp_path / name, "--no-tags") for name in ("one", "two"))
    assert tag(first, "staging", "--push", "origin") == [
        "staging/a/v1",
        "1 tag of this commit at origin",
    ]
    assert tag(second, "staging", "--push", "origin") == [
        "every model of staging is tagged already",
        "1 tag of this commit at origin",
    ]
    assert work.tags == ["staging/a/v1"]


def test_a_push_that_failed_is_made_up_for(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "origin")
    clone = work.clone(tmp_path / "clone")
    tag(clone)
    assert work.tags == []
    tag(clone, "staging", "--push", "origin")
    assert work.tags == ["staging/a/v1"]
    code, _, err = run("tag", "staging", "--push", "nowhere", "--project", clone.folder)
    assert code == 1
    assert "nowhere" in err


def test_what_cannot_be_tagged(tmp_path: Path) -> None:
    plain, work = tmp_path / "plain", Work.new(tmp_path / "work")
    plain.mkdir()
    (plain / "Pulumi.staging.yaml").write_text(work.text("Pulumi.staging.yaml"))
    for arguments, folder, said in (
        (["--commit", "beef"], work.folder, "beef names no commit"),
        ([], plain, "is in no git repository"),
    ):
        code, _, err = run("tag", "staging", *arguments, "--project", folder)
        assert code == 1
        assert said in err
        assert "Traceback" not in err
    assert work.tags == []


def test_tags_of_others_are_left_alone(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("tag", "v1.0")
    work.git("tag", "staging/a/v1")
    (found,) = deployments(Repository(tmp_path))
    assert (found.version, found.when, found.digest, found.commit) == ("v1", None, None, work.head)
    assert tag(work) == ["every model of staging is tagged already"]
