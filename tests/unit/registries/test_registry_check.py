"""`delivery check --registry`: what it makes of the registries' answers, and when it stops asking."""

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.stack import load_stack
from delivery.registries import check as registry_check
from delivery.registries import facts as registry_facts
from delivery.registries.check import ask
from delivery.registries.errors import NotFound
from delivery.registries.facts import ReleaseFacts
from delivery.registries.mlflow_registry import ModelVersion
from delivery.releases.changes import release
from delivery.review import review as review_module
from tests.support.projects import MODEL, entry, project
from tests.unit.commands.test_delivery import run

GOOD = 'version: "v1"\nreplicas: 2'
GATED = f'{GOOD}\nregisteredModel: {{name: a}}\ngate: {{metrics: {{f1: {{min: "0.85", maxDrop: "0"}}}}}}'
BOUNDED = GATED.replace(', maxDrop: "0"', "")
MLFLOW = '  ml-deployments:modelRegistry: {mlflow: "https://mlflow.example.com"}\n'
PINNED = f"sha256:{'1' * 64}"
MOVED = f"sha256:{'2' * 64}"


def stack(text: str) -> str:
    return entry(text).replace("  ml-deployments:models:", f"{MLFLOW}  ml-deployments:models:")


def test_a_moved_tag_is_named_with_both_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_facts, "image_digest", lambda *_: MOVED)
    folder = project(tmp_path, stack(f'{GOOD}\ndigest: "{PINNED}"'))
    loaded = load_stack(Sources.of(folder), "test")
    _, (problem,), _ = ask(tmp_path, [loaded])
    assert problem.line == 8
    text = str(problem)
    assert f'models.a.digest = "{PINNED}"' in text
    assert f"the tag v1 has {MOVED}: it was moved since it was pinned" in text


def registered(version: str, **more: Any) -> ModelVersion:
    known: dict[str, Any] = {
        "name": "a",
        "number": "2",
        "aliases": (),
        "metrics": {},
        "run": None,
        "dataset": None,
        "owner": None,
    }
    return ModelVersion(version=version, **(known | more))


def facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, known: Mapping[str, ModelVersion]
) -> ReleaseFacts:
    """What is said of v1, which replaces v0, where MLflow knows these versions."""

    def find(_: str, model: object, version: str) -> ModelVersion:
        if version not in known:
            raise NotFound(f"{version} is gone", "register it")
        return known[version]

    monkeypatch.setattr(registry_facts, "find_version", find)
    settings = load_stack(Sources.of(project(tmp_path, stack(text))), "test").settings
    return registry_facts.release_facts(StagedModel(settings.models[0], settings), "v0", image=False)


def test_a_gate_without_what_runs_judges_its_bounds_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"v1": registered("v1", metrics={"f1": Decimal("0.84")})}
    found = facts(tmp_path, monkeypatch, BOUNDED, known)
    assert found.notes == ("a: nothing to compare with: v0 runs, and v0 is gone",)
    assert [str(problem) for problem in found.problems] == [
        "v1 fails the gate on f1 (at least 0.85): 0.84 is below 0.85. "
        "Fix: deploy a version that passes, or change gate where reviewers see it"
    ]


def test_a_gate_that_compares_fails_without_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"f1": Decimal("0.9")}
    (problem,) = facts(tmp_path, monkeypatch, GATED, {"v1": registered("v1", metrics=good)}).problems
    assert "fails the gate on f1 (at least 0.85, may fall by 0): cannot be compared: v0 runs, and v0" in str(
        problem
    )
    purged = registered("v0", gone=("its run 1f2e was purged",))
    known = {"v0": purged, "v1": registered("v1", metrics=good)}
    (problem,) = facts(tmp_path, monkeypatch, GATED, known).problems
    assert "cannot be compared: v0 runs, and its run 1f2e was purged" in str(problem)


def test_a_version_whose_run_is_gone_does_not_pass_a_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = registered("v1", metrics={"f1": Decimal("0.9")}, gone=("its run 1f2e was deleted",))
    (problem,) = facts(tmp_path, monkeypatch, BOUNDED, {"v1": gone, "v0": gone}).problems
    assert "v1 cannot pass its gate: version 2 is registered, but its run 1f2e was deleted" in str(problem)
    ungated = facts(tmp_path / "b", monkeypatch, f"{GOOD}\nregisteredModel: {{name: a}}", {"v1": gone})
    assert ungated.problems == ()
    assert ungated.notes == ("a: version 2 is registered, but its run 1f2e was deleted",)


def test_withheld_credentials_are_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "made-up")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(registry_facts, "image_digest", lambda *_: PINNED)
    monkeypatch.setattr(registry_facts, "find_version", lambda *_: registered("v1"))
    text = stack(f"{GOOD}\nregisteredModel: {{name: a}}")
    text += '    b: {version: "v1", replicas: 1, registeredModel: {name: a}}\n'
    loaded = load_stack(Sources.of(project(tmp_path, text, a=MODEL, b=MODEL)), "test")
    _, _, notes = ask(tmp_path, [loaded])
    said = "test: https://mlflow.example.com was asked without the credentials of the environment: MLFLOW_TRACKING_URI"
    assert sum(note.startswith(said) for note in notes) == 1


def test_a_silent_registry_ends_the_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One question at a time, and none ends before all have had their turn or been given up.
    given_up = Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            given_up.set()
            super().shutdown(wait=wait)

    def silent(*_: object) -> str:
        assert given_up.wait(60)
        return PINNED

    monkeypatch.setattr(registry_check, "AT_ONCE", 1)
    monkeypatch.setattr(registry_check, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(registry_facts, "image_digest", silent)
    text = entry(GOOD) + '    b: {version: "v2", replicas: 1}\n'
    loaded = load_stack(Sources.of(project(tmp_path, text, a=MODEL, b=MODEL)), "test")
    asked, (problem,), _ = ask(tmp_path, [loaded], seconds=0)
    assert [each.facts.digest for each in asked] == [PINNED, None]
    assert "models.b.version" in str(problem)
    assert "v2 was not checked" in str(problem)


def test_before_the_first_commit_nothing_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_facts, "image_digest", lambda *_: PINNED)
    folder = project(tmp_path)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    _, problems, notes = ask(folder, [load_stack(Sources.of(folder), "test")])
    assert (problems, notes) == ([], [])


def test_a_review_asks_for_several_models_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(2)

    def asked(staged: StagedModel, *_: object) -> ReleaseFacts:
        together.wait(timeout=20)
        return ReleaseFacts(digest=staged.name)

    monkeypatch.setattr(review_module, "release_facts", asked)
    text = entry(GOOD) + '    b: {version: "v1", replicas: 2}\n'
    loaded = load_stack(Sources.of(project(tmp_path, text, a=MODEL, b=MODEL)), "test")
    news = [release("test", name, None, {"version": "v1"}) for name in ("a", "b", "gone")]
    found = review_module._facts(loaded.settings, news)
    assert {name: facts.digest for name, facts in found.items()} == {"a": "a", "b": "b"}


def test_what_a_registry_says_is_shown_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ModelVersion(
        name="a", number="2", version="v1", aliases=(), metrics={"f1[macro]": Decimal("0.9")},
        run=None, dataset="reviews[/v2]", owner="\x1b[31mteam",
    )  # fmt: skip
    monkeypatch.setattr(registry_facts, "image_digest", lambda *_: PINNED)
    monkeypatch.setattr(registry_facts, "find_version", lambda *_: found)
    folder = project(tmp_path, stack(f"{GOOD}\nregisteredModel: {{name: a}}"))
    code, out, _ = run("check", "--registry", "--project", folder)
    assert code == 0
    assert "f1[macro]=0.9" in out
    assert "reviews[/v2]" in out
    assert "\x1b" not in out
