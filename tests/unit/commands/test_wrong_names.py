"""A stage or a model that does not exist is wrong usage in every command, which names those that do."""

from pathlib import Path

import pytest

from tests.support.projects import MODEL
from tests.support.repositories import Work, flow
from tests.unit.commands.test_delivery import run

STAGES = "Pulumi.nowhere.yaml does not exist; the stages are production, staging"
MODELS = "models/nobody.yaml does not exist; the models are a, b"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work.new(tmp_path, a=flow("v1"), b=flow("v1"))


def said_by(work: Work, *command: str, code: int = 2) -> str:
    found, out, err = run(*command, "--project", work.folder)
    assert found == code, out + err
    return " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(
    "command",
    [
        ("show", "nowhere"),
        ("policy", "nowhere"),
        ("deployable", "nowhere"),
        ("features-plan", "nowhere"),
        ("render", "nowhere", "--output", "out"),
        ("render", "nowhere", "--commit"),
        ("drift", "nowhere"),
        ("drift", "nowhere", "--revision", "HEAD"),
        ("drift", "nowhere", "--work-tree"),
        ("tag", "nowhere"),
        ("tag", "nowhere", "--commit", "HEAD"),
        ("review", "HEAD..HEAD", "--stage", "nowhere"),
        ("review", "..", "--stage", "nowhere"),
        ("rollback", "a", "--stage", "nowhere"),
        ("promote", "a", "--from", "nowhere", "--to", "staging"),
        ("promote", "a", "--to", "nowhere", "--version", "v2"),
    ],
    ids=" ".join,
)
def test_a_stage_that_does_not_exist(work: Work, command: tuple[str, ...]) -> None:
    assert STAGES in said_by(work, *command)
    assert work.tags == []


@pytest.mark.parametrize(
    "command",
    [
        ("rollback", "nobody", "--stage", "staging"),
        ("promote", "nobody", "--from", "staging", "--to", "production"),
        ("promote", "nobody", "--to", "staging", "--version", "v2", "--replicas", "1"),
    ],
    ids=" ".join,
)
def test_a_model_that_does_not_exist(work: Work, command: tuple[str, ...]) -> None:
    assert MODELS in said_by(work, *command)


def test_a_model_that_a_stage_does_not_show_and_that_never_was(work: Work) -> None:
    assert "nobody does not run in staging; its models are a, b" in said_by(work, "show", "staging", "nobody")
    assert "no stage ever ran nobody; the models are a, b" in said_by(work, "history", "nobody")


def test_a_stage_of_another_commit_is_not_a_wrong_name(work: Work) -> None:
    first = work.head
    (work.folder / "Pulumi.staging.yaml").unlink()
    work.commit("Without staging", {})
    assert "the stages are production" in said_by(work, "tag", "staging")
    said_by(work, "tag", "staging", "--commit", first, code=0)
    assert work.tags == ["staging/a/v1", "staging/b/v1"]


def test_a_commit_that_lacks_a_known_stage_is_refused(work: Work) -> None:
    first = work.head
    work.release("later", a=flow("v1"))
    assert "Pulumi.later.yaml names no model at" in said_by(work, "tag", "later", "--commit", first, code=1)
    said = said_by(work, "drift", "later", "--revision", first, code=1)
    assert "Pulumi.later.yaml does not exist at" in said


def test_a_commit_that_does_not_exist_is_reported_itself(work: Work) -> None:
    assert "gone names no commit of this repository" in said_by(
        work, "tag", "staging", "--commit", "gone", code=1
    )


def test_a_model_whose_file_is_gone_may_have_run(work: Work) -> None:
    (work.folder / "models" / "b.yaml").unlink()
    work.release("staging", a=flow("v1"))
    work.release("production", a=flow("v1"))
    said = said_by(work, "rollback", "b", "--stage", "staging", code=1)
    assert "staging does not run b since" in said


def test_a_model_that_the_stage_never_ran_is_refused(work: Work) -> None:
    work.commit("Model", {"models/c.yaml": MODEL})
    said = said_by(work, "rollback", "c", "--stage", "staging", code=1)
    assert "no commit of this branch gives c a version" in said
