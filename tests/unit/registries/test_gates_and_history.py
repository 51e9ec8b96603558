"""A gate compares with the version before, wherever git has it, and does not pass where that cannot be known."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from components.errors import Problem
from components.files.sources import Sources
from components.settings.registries import RegisteredModel
from components.stack import load_stack
from delivery.git.repository import Repository
from delivery.registries import facts as registry_facts
from delivery.registries.check import ask
from delivery.registries.mlflow_registry import ModelVersion
from delivery.releases.changes import releases
from tests.support.projects import project
from tests.support.repositories import Work, init
from tests.unit.registries.test_registry_check import PINNED, stack

GATED = """
registeredModel: {name: a}
gate: {metrics: {f1: {maxDrop: "0.01"}}}
"""


def _compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gate: str = GATED
) -> tuple[list[Problem], list[str]]:
    """What `check --registry` says of a version that is as good as the one before it."""

    def known(_: str, __: RegisteredModel, version: str) -> ModelVersion:
        metrics = {"f1": Decimal("0.9" if version == "v2" else "0.95")}
        return ModelVersion(
            name="a",
            number="2",
            version=version,
            aliases=(),
            metrics=metrics,
            run=None,
            dataset=None,
            owner=None,
        )

    monkeypatch.setattr(registry_facts, "image_digest", lambda *_: PINNED)
    monkeypatch.setattr(registry_facts, "find_version", known)
    text = stack(f'version: "v2"\nreplicas: 2{gate}')
    (folder / "Pulumi.test.yaml").write_text(text)
    _, problems, notes = ask(folder, [load_stack(Sources.of(folder), "test")])
    return problems, notes


@pytest.fixture
def released(tmp_path: Path) -> Work:
    """A project whose first commit has v1, and whose second one v2."""
    folder = project(tmp_path / "work")
    init(folder)
    work = Work(folder)
    work.commit("v1", {"Pulumi.test.yaml": stack('version: "v1"\nreplicas: 2' + GATED)})
    work.commit("v2", {"Pulumi.test.yaml": stack('version: "v2"\nreplicas: 2' + GATED)})
    return work


def test_a_gate_compares_beyond_a_move_of_the_project(
    released: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,), _ = _compared(released.folder, monkeypatch)
    assert "fails the gate on f1" in problem.reason
    inner = released.folder / "teams" / "ml"
    inner.mkdir(parents=True)
    for part in ("models", "Pulumi.test.yaml", "__main__.py"):
        released.git("mv", part, "teams/ml/")
    released.commit("Move", {})
    (moved,), _ = _compared(inner, monkeypatch)
    assert (moved.reason, moved.file) == (problem.reason, problem.file)


def test_a_gate_that_cannot_compare_does_not_pass(
    released: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = released.clone(tmp_path / "shallow", "--depth=1").folder
    (problem,), _ = _compared(shallow, monkeypatch)
    assert problem.field == "config.ml-deployments:models.a.gate"
    assert "v2 cannot be compared with the version before it: this clone is shallow" in problem.reason
    assert problem.fix == "`git fetch --unshallow`"
    assert problem.line is not None
    shutil.rmtree(shallow / ".git")
    (problem,), (note,) = _compared(shallow, monkeypatch)
    assert "cannot be compared with the version before it: " in problem.reason
    assert "is in no git repository" in problem.reason
    assert note.startswith("No version is compared with the one before it: ")
    alone = GATED.replace('maxDrop: "0.01"', 'min: "0.1"')
    assert _compared(shallow, monkeypatch, alone)[0] == []


def test_the_first_version_under_a_gate_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path)
    init(folder)
    assert _compared(folder, monkeypatch)[0] == []
    Work(folder).commit("First", {})
    assert _compared(folder, monkeypatch)[0] == []


def test_a_review_compares_beyond_a_move(released: Work) -> None:
    """A pull request that moves the project and releases is a release, and not a new model without a past."""
    base = released.head
    (released.folder / "ml").mkdir()
    released.git("mv", "models", "Pulumi.test.yaml", "ml/")
    text = (released.folder / "ml" / "Pulumi.test.yaml").read_text()
    head = released.commit("Move and release", {"ml/Pulumi.test.yaml": text.replace("v2", "v3")})
    (found,) = releases(Repository(released.folder / "ml"), base, head)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.version, found.after.version) == ("v2", "v3")
