"""What a change of the stack files means."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.git.repository import Repository
from delivery.history.past_entries import quick_entries
from delivery.releases.changes import Deployed, entries, release, releases, stages_at
from tests.support.repositories import Work, flow, stack


def test_releases_between_two_commits(tmp_path: Path) -> None:
    work = Work.new(tmp_path, a=flow("v1"), b=flow("v1"), c=flow("v1"))
    work.release("production", a=flow("v2"), b='{version: "v1", replicas: 2, port: 90}', d=flow("v1", 3))
    found = {each.model: each for each in releases(Repository(tmp_path), "HEAD^", "HEAD")}
    assert set(found) == {"a", "b", "c", "d"}
    assert {each.stage for each in found.values()} == {"production"}
    assert found["a"].before == Deployed(version="v1", digest=None, replicas=2)
    assert found["a"].version_changed
    assert (found["b"].version_changed, found["b"].other_fields) == (False, ("port",))
    assert found["c"].after is None
    assert found["d"].before is None
    assert found["d"].after == Deployed(version="v1", digest=None, replicas=3)


def test_a_stage_that_comes_and_one_that_goes(tmp_path: Path) -> None:
    work = Work.new(tmp_path)
    work.git("rm", "--quiet", "Pulumi.staging.yaml")
    work.commit("Swap", {"Pulumi.canary.yaml": stack({"a": flow("v1")}), "Pulumi.yaml": "name: x\n"})
    repository = Repository(tmp_path)
    assert stages_at(repository, "HEAD") == ("canary", "production")
    found = releases(repository, "HEAD^", "HEAD")
    assert [(r.stage, r.before is None, r.after is None) for r in found] == [
        ("canary", True, False),
        ("staging", False, True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "config:",
        "config: []",
        "config: {ml-deployments:models: 3}",
        "a: [",
        "config: {ml-deployments:models: {a: 1}}",
    ],
)
def test_old_commits_may_contain_anything(text: str) -> None:
    assert entries(text, "f") == {}
    assert quick_entries(text, "f") == {}


def test_a_release_of_a_broken_entry() -> None:
    found = release("s", "m", {"version": 1.1}, {"version": "v1", "digest": 3, "replicas": "2"})
    assert found.before is None
    assert found.after == Deployed(version="v1", digest=None, replicas=None)


STACKS = [
    stack({"a": flow("v1"), "b": flow("v2")}) + "encryptionsalt: x\n",
    stack(
        {
            "a": '\n      version: "v1" # c\n      env:\n        T: |\n          # no comment\n\n          x',
            "b": flow("v1"),
        }
    ),
    stack({"a": '{version: "v1",\n  replicas: 2}', "b": flow("v1")}),
    stack({"a": flow("v1")}) + '  # about b\n    b: {version: "v1"}\n  ml-deployments:kubeContext: k\n',
    stack({"a": '{version: "v1", env: {A: &x "1"}}', "b": '{version: "v1", env: {A: *x}}'}),
    stack({"a": flow("v1")}) + '    a: {version: "v2"}\n',
    stack({"a": flow("v1")}).replace("\n", "\r\n"),
    stack({'"a"': flow("v1"), "? b\n    ": flow("v1")}),
    "text: |\n" + stack({"a": flow("v1")}).replace("config:\n", "  config:\n"),
    stack({"a": '{version: "v1\n    b: x"}'}),
    stack({"a": flow("v1")}) + "---\nconfig: {}\n",
]


@pytest.mark.parametrize("text", STACKS)
def test_reading_entry_by_entry_is_reading_the_whole(text: str) -> None:
    assert quick_entries(text, "f") == entries(text, "f")


@settings(deadline=None)
@given(st.sampled_from(STACKS), st.data())
def test_reading_entry_by_entry_is_reading_the_whole_of_any_file(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 5))
    more = data.draw(st.text(alphabet=" \n:#{}[],\"'|-ab", max_size=6))
    edited = text[:at] + more + text[at + cut :]
    assert quick_entries(edited, "f") == entries(edited, "f")
