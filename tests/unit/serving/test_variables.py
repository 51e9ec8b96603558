"""The environment of a server: in the files' order, and what the files say of it wins over the program."""

from pathlib import Path

import pytest

from tests.support.projects import GOOD_STACK, MODEL, entry, named, problems, project

NAMED = [("MODEL_NAME", "a"), ("MODEL_VERSION", "v1")]


def env(folder: Path) -> list[tuple[str, str]]:
    (server,) = named(folder)["Deployment a"]["spec"]["template"]["spec"]["containers"]
    return [(each["name"], each["value"]) for each in server["env"]]


@pytest.mark.parametrize(
    ("model", "stage", "found"),
    [
        ("", "", NAMED),
        ("{MODEL_NAME: rock_paper}", "", [("MODEL_VERSION", "v1"), ("MODEL_NAME", "rock_paper")]),
        ("{MODEL_NAME: null, MODEL_VERSION: null}", "", []),
        ("", "{MODEL_NAME: null}", [("MODEL_VERSION", "v1")]),
        ("{MODEL_NAME: x}", "{MODEL_NAME: null}", [("MODEL_VERSION", "v1")]),
        ("{MODEL_NAME: null}", "{MODEL_NAME: x}", [("MODEL_VERSION", "v1"), ("MODEL_NAME", "x")]),
    ],
    ids=[
        "neither",
        "another name",
        "left out",
        "left out of a stage",
        "replaced, left out",
        "left out, given",
    ],
)
def test_the_files_win_over_the_program(
    tmp_path: Path, model: str, stage: str, found: list[tuple[str, str]]
) -> None:
    text = MODEL + (f"env: {model}\n" if model else "")
    more = f"\nenv: {stage}" if stage else ""
    assert env(project(tmp_path, entry(f'version: "v1"\nreplicas: 2{more}'), a=text)) == found


def test_the_order_of_the_files_is_kept(tmp_path: Path) -> None:
    text = MODEL + 'env: {Z: redis, ADDRESS: "$(Z):6379", B: "1"}\n'
    stage = entry('version: "v1"\nreplicas: 2\nenv: {B: "2", A: "$(ADDRESS)/0", Z: other}')
    # What both name keeps its place, and what only the stack file names comes last.
    assert env(project(tmp_path, stage, a=text)) == [
        *NAMED,
        ("Z", "other"),
        ("ADDRESS", "$(Z):6379"),
        ("B", "2"),
        ("A", "$(ADDRESS)/0"),
    ]


@pytest.mark.parametrize("value", ["$(MODEL_NAME)", "$$(LATER)", "$(ELSEWHERE)", "$LATER", "$(A)"], ids=str)
def test_what_is_no_reference_to_a_later_variable_is_accepted(tmp_path: Path, value: str) -> None:
    text = MODEL + f'env: {{A: "{value}", LATER: "1"}}\n'
    assert dict(env(project(tmp_path, a=text)))["A"] == value


def test_an_escaped_dollar_before_a_reference_does_not_hide_it(tmp_path: Path) -> None:
    text = MODEL + 'env: {A: "$$$(LATER)", LATER: "1"}\n'
    (problem,) = problems(project(tmp_path, GOOD_STACK, a=text))
    assert (problem.field, "refers to $(LATER)" in problem.reason) == ("env.A", True)


def test_null_leaves_out_only_what_the_program_sets(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK, a=MODEL + "env: {LOG_LEVEL: null}\n"))
    assert problem.field == "env.LOG_LEVEL"
    assert "has no value; null leaves out only what the program sets" in problem.reason
    assert 'LOG_LEVEL: ""' in problem.fix
