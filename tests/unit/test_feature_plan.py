"""What `features-plan` says where there is no plan. Plans themselves are tested against a real registry."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.feature_store_settings import REGISTRY_URL
from delivery.cli import app
from tests.features import STORE, write_features
from tests.unit.projects import GOOD_STACK, project

NOTHING = '{"first": false, "changes": []}'
UNREADABLE = "echo 'a warning' >&2; echo 'the registry cannot be read: no' >&2; exit 1"


def plan(folder: Path, feast: str, **environment: str) -> tuple[int, str]:
    """Exit code and output, with a shell's text in the place of Feast's Python."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{feast}\n")
    python.chmod(0o755)
    command = ["features-plan", "test", "--project", str(folder), "--python", str(python)]
    result = CliRunner().invoke(app, command, env={REGISTRY_URL: None, **environment})
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_features(tmp_path)
    return project(tmp_path, GOOD_STACK + STORE)


def test_feast_gets_the_definitions_and_the_stages_own_configuration(folder: Path) -> None:
    asked = f'echo "$1 $2 $3" > {folder}/asked; cat "$4" >> {folder}/asked; echo \'{NOTHING}\''
    code, output = plan(folder, asked, **{REGISTRY_URL: "sqlite://"})
    assert (code, output) == (0, "### Features of <code>test</code>\n\nNo change.\n")
    first, _, rest = (folder / "asked").read_text().partition("\n")
    assert first == f"-m delivery.feast_plan {folder}/features"
    assert "project: ml_deployments_test" in rest
    assert f"path: '${{{REGISTRY_URL}}}'" in rest


def test_each_change_is_told_with_its_difference(folder: Path) -> None:
    changes = [
        {"change": "new", "kind": "feature view", "name": "b", "diff": "+ttl: 1s"},
        {"change": "changed", "kind": "entity", "name": "a", "diff": "-x\n+y"},
    ]
    (folder / "said").write_text(json.dumps({"first": True, "changes": changes}))
    code, output = plan(folder, f"cat {folder}/said", **{REGISTRY_URL: "sqlite://"})
    assert code == 0
    assert output == (
        "### Features of <code>test</code>\n\nThe registry is empty: this is the first time.\n\n"
        "**changed** entity <code>a</code>\n\n```diff\n-x\n+y\n```\n\n"
        "**new** feature view <code>b</code>\n\n```diff\n+ttl: 1s\n```\n"
    )


def test_a_stage_without_a_store_has_no_plan(tmp_path: Path) -> None:
    code, output = plan(project(tmp_path), "exit 0")
    assert code == 1
    assert output == "Pulumi.test.yaml has no feature store, so there is no plan. Fix: add featureStore\n"


def test_the_registry_must_be_named_by_the_environment(folder: Path) -> None:
    code, output = plan(folder, "exit 0")
    assert code == 1
    assert output.startswith(f"{REGISTRY_URL} is not set")
    assert "Secret registry" in output


def test_an_environment_without_feast_is_named_with_what_brings_it(folder: Path) -> None:
    command = ["features-plan", "test", "--project", str(folder), "--python", str(folder / "none")]
    result = CliRunner().invoke(app, command, env={REGISTRY_URL: "sqlite://"})
    assert result.exit_code == 1
    assert result.output == f"{folder}/none does not exist, so Feast cannot be asked. Fix: make features\n"


def test_what_feast_says_last_is_the_message(folder: Path) -> None:
    code, output = plan(folder, UNREADABLE, **{REGISTRY_URL: "sqlite://"})
    assert code == 1
    assert output == f"the registry cannot be read: no. Fix: check {REGISTRY_URL} and features/\n"
