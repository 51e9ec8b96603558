"""Who released what, where and when, from git alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from delivery.git.repository import Repository
from delivery.history.model_history import ChangeKind, history
from tests.support.repositories import MAIN, Work, changes, flow, stack
from tests.unit.commands.test_delivery import run

DIGEST = f"sha256:{'1' * 64}"


def kinds(work: Work, model: str | None = "a", stage: str | None = "staging") -> list[ChangeKind]:
    return [change.kind for change in changes(work, model, stage)]


def as_json(work: Work, *arguments: str) -> Any:
    code, out, err = run("history", *arguments, "--json", "--project", work.folder)
    assert code == 0, err
    return json.loads(out)


def test_every_kind_of_change(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v1"), b=flow("v1"))
    work.release("staging", a=flow("v2"), b=flow("v1"))
    work.release("staging", a=flow("v2", digest=DIGEST), b=flow("v1"))
    work.release("staging", a=flow("v2", 5, DIGEST), b='{version: "v1", replicas: 2, port: 90}')
    work.release("staging", a=flow("v2", 5, DIGEST))
    added, version, digest, replicas = (
        ChangeKind.ADDED,
        ChangeKind.VERSION,
        ChangeKind.DIGEST,
        ChangeKind.REPLICAS,
    )
    assert kinds(work) == [replicas, digest, version, added]
    assert kinds(work, "b") == [ChangeKind.REMOVED, added]
    assert kinds(work, "a", "production") == [added]


def test_who_when_and_the_trailers(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    message = "Promote a\n\nModel: a\nTo: staging\nGate: f1 0.9 (was 0.8)\nRun: 4711\nReason: urgent"
    both = {"Pulumi.staging.yaml": stack({"a": flow("v2"), "b": flow("v2")})}
    revision = work.commit(message, both, "Bo <bo@example.com>")
    (a,), (b,) = (changes(work, model, "staging")[:1] for model in "ab")
    assert (a.commit.revision, a.commit.author) == (revision, "Bo <bo@example.com>")
    assert a.when == "2023-11-15T00:13:20+00:00"
    assert (a.gate, a.run, a.reason) == ("f1 0.9 (was 0.8)", "4711", "urgent")
    assert (b.commit.revision, b.gate) == (revision, None)


def test_the_version_before_is_found_beyond_other_changes(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    work.release("staging", a=flow("v2", 5))
    past = history(Repository(work.folder))
    assert past.previous_version("staging", "a", "v2") == "v1"
    # A version that is not committed yet comes after the newest one that is.
    assert past.previous_version("staging", "a", "v3") == "v2"
    assert past.previous_version("production", "a", "v1") is None


def test_deployments_belong_to_the_release_they_deployed(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    run("tag", "staging", "--project", tmp_path)
    work.release("staging", a=flow("v2"))
    work.commit("Later", {"README": "x"})
    run("tag", "staging", "--project", tmp_path)
    work.release("staging", a=flow("v1"))
    work.release("staging", a=flow("v1", 7))
    run("tag", "staging", "--project", tmp_path)
    work.release("staging", a=flow("v4"))
    found = [[d.name for d in change.deployments] for change in changes(work, "a", "staging")]
    assert found == [[], [], ["staging/a/v1+2"], ["staging/a/v2"], ["staging/a/v1"]]


def test_a_rewritten_history_keeps_what_is_there_and_marks_the_rest(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    gone = work.release("staging", a=flow("v2"))
    run("tag", "staging", "--project", tmp_path)
    work.git("reset", "--quiet", "--hard", "HEAD^")
    work.release("staging", a=flow("v3"))
    found = as_json(work, "--stage", "staging")
    assert [change["to"]["version"] for change in found["changes"]] == ["v3", "v1"]
    assert [(d["tag"], d["commit"]) for d in found["elsewhere"]] == [("staging/a/v2", gone)]
    _, out, _ = run("history", "--project", tmp_path)
    assert f"from {gone[:10]}, which this branch does not contain" in out


def test_a_shallow_clone_says_that_older_history_is_missing(tmp_path: Path) -> None:
    work = Work.new(tmp_path / "full")
    work.release("staging", a=flow("v2"))
    work.release("staging", a=flow("v3"))
    shallow = work.clone(tmp_path / "shallow", "--depth=2")
    newest, oldest = changes(shallow, "a", "staging")
    assert (newest.kind, oldest.kind) == (ChangeKind.VERSION, ChangeKind.OLDEST_KNOWN)
    code, out, _ = run("history", "--project", shallow.folder)
    assert code == 0
    assert "older history is missing. Fix: `git fetch --unshallow`" in " ".join(out.split())
    assert "v2 or earlier" in out
    assert as_json(shallow)["shallow"] is True


def test_a_detached_head_is_read_like_a_branch(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.release("staging", a=flow("v2"))
    work.git("checkout", "--quiet", "--detach", "HEAD^")
    assert kinds(work) == [ChangeKind.ADDED]


def test_what_runs_now(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"))
    work.release("staging", a=flow("v2"), b=flow("v1"))
    work.release("staging", a=flow("v2", 8))
    work.release("production", b=flow("v1"))
    found = as_json(work)["running"]
    assert [(r["model"], r["stage"], r["to"]["version"], r["to"]["replicas"], r["when"]) for r in found] == [
        ("a", "staging", "v2", 8, "2023-11-15T00:13:20+00:00"),
        ("b", "production", "v1", 2, "2023-11-14T23:13:20+00:00"),
    ]


def test_broken_files_and_projects_in_a_folder(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.git("init", "--quiet", "--initial-branch", MAIN)
    work.git("config", "user.name", "A")
    work.git("config", "user.email", "a@example.com")
    inner = "deploy/Pulumi.staging.yaml"
    work.commit("One", {inner: stack({"a": flow("v1")}), "Pulumi.staging.yaml": stack({"z": flow("v1")})})
    work.commit("Broken", {inner: "config: ["})
    work.commit("Repaired", {inner: stack({"a": flow("v2")})})
    found = history(Repository(tmp_path / "deploy")).changes
    assert [(c.model, c.kind) for c in found] == [
        ("a", ChangeKind.ADDED),
        ("a", ChangeKind.REMOVED),
        ("a", ChangeKind.ADDED),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody"], 2, "no stage ever ran nobody; the models are a"),
        (["--stage", "nowhere"], 2, "nowhere never ran a model; the stages are production, staging"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    work = Work.new(tmp_path)
    found, _, err = run("history", *arguments, "--project", work.folder)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())


def test_no_git_and_no_commit(tmp_path: Path) -> None:
    code, _, err = run("history", "--project", tmp_path)
    assert (code, "is in no git repository" in err) == (1, True)
    Work(tmp_path).git("init", "--quiet")
    code, _, err = run("history", "--project", tmp_path)
    assert (code, "HEAD names no commit of this repository" in err) == (1, True)


def test_the_number_of_git_processes_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work.new(tmp_path)
    counts = []
    run_git = Repository._run
    for _ in range(2):
        calls: list[Any] = []

        def counted(self: Repository, *arguments: Any, calls: list[Any] = calls) -> Any:
            calls.append(arguments)
            return run_git(self, *arguments)

        monkeypatch.setattr(Repository, "_run", counted)
        history(Repository(tmp_path))
        counts.append(len(calls))
        for version in range(10):
            work.release("staging", a=flow(f"w{version}"))
    assert counts[0] == counts[1] < 10


def test_texts_of_others_are_shown_as_they_are(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.commit(
        "[red]x[/red] \x1b[2J", {"Pulumi.staging.yaml": stack({"a": flow("v2")})}, "[b]Bo <bo@example.com>"
    )
    code, out, _ = run("history", "a", "--project", tmp_path)
    assert code == 0
    assert "[b]Bo" in out
    assert "\x1b[2J" not in out


def test_names_are_not_truncated_in_a_log(tmp_path: Path) -> None:
    name = "-".join(["sentiment"] * 6)
    work = Work.new(tmp_path, **{name: flow("v1")})
    work.release("staging", f"Release\n\nModel: {name}\nReason: {'because ' * 9}", **{name: flow("v2")})
    code, out, _ = run("history", "--project", tmp_path)
    assert code == 0
    assert sum(name in line for line in out.splitlines()) == 3
