"""What `features-plan` says where there is no plan. Plans themselves are tested against a real registry."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.settings.feature_store import REGISTRY_URL
from delivery.cli import app
from tests.support.features import STORE, write_features
from tests.support.projects import GOOD_STACK, project

NOTHING = '{"first": false, "changes": []}'
UNREADABLE = "echo 'a warning' >&2; echo 'the registry cannot be read: no' >&2; exit 1"


def plan(folder: Path, feast: str, **environment: str) -> tuple[int, str]:
    """Exit code and output, with a shell script in place of Feast's Python."""
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
    assert (code, output) == (0, "Features of test\n\nNo change.\n")
    first, _, rest = (folder / "asked").read_text().partition("\n")
    assert first == f"-m delivery.features.feast_plan {folder}/features"
    assert "project: ml_deployments_test" in rest
    assert f"path: '${{{REGISTRY_URL}}}'" in rest


def test_each_change_is_reported_with_its_difference(folder: Path) -> None:
    changes = [
        {"change": "new", "kind": "feature view", "name": "b", "diff": "+ttl: 1s"},
        {"change": "changed", "kind": "entity", "name": "a", "diff": "-x\n+y"},
    ]
    (folder / "said").write_text(json.dumps({"first": True, "changes": changes}))
    code, output = plan(folder, f"cat {folder}/said", **{REGISTRY_URL: "sqlite://"})
    assert code == 0
    assert output == (
        "Features of test\n\nThe registry is empty: this is the first time.\n\n"
        "changed entity a\n  -x\n  +y\n\n"
        "new feature view b\n  +ttl: 1s\n"
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


@pytest.mark.parametrize(
    ("url", "said", "shown"),
    [
        ("postgresql+psycopg://u:hid%2Fden@h/db", "u, hid/den, hid%2Fden", "u, ***, ***"),
        ("postgresql+psycopg://u:hid/den@h/db", "hid/den hid%2Fden", "*** ***"),
        ("postgresql+psycopg://u:a%20b%5C@h/db", r"'a b\\' or a b\ or a%20b%5C", "'***' or *** or ***"),
        # A password with an unescaped @ or : in it: what follows is read as the host.
        (
            "postgresql+psycopg://u:a@hidden@h/db",
            "failed to resolve host 'hidden@h'",
            "failed to resolve host '***@h'",
        ),
        ("postgresql+psycopg://u@hid:den@h/db", "no host hid", "no host ***"),
        ("postgresql+psycopg://h/db?user=u&password=hidden", "no hidden at h", "no *** at h"),
        ("postgresql://u:hidden", "invalid literal for int(): 'hidden'", "invalid literal for int(): '***'"),
        ("u:hidden@h/db", "could not parse u:hidden@h/db", "could not parse ***"),
        ("hidden", "could not parse 'hidden'", "could not parse '***'"),
        ("postgresql+psycopg://h:5432/db", "no answer from h:5432", "no answer from h:5432"),
        ("sqlite:////data/registry.db", "cannot open /data/registry.db", "cannot open /data/registry.db"),
    ],
)
def test_the_registrys_password_is_never_shown(folder: Path, url: str, said: str, shown: str) -> None:
    (folder / "said").write_text(f"a line before\n{said}\n")
    code, output = plan(folder, f"cat {folder}/said >&2; exit 1", **{REGISTRY_URL: url})
    assert code == 1
    assert output == f"{shown}. Fix: check {REGISTRY_URL} and features/\n"


def test_a_terminal_is_not_steered_by_a_definition(folder: Path) -> None:
    changes = [{"change": "new", "kind": "entity", "name": "a\x1b[2J", "diff": "+x\x1b[1A"}]
    (folder / "said").write_text(json.dumps({"first": False, "changes": changes}))
    _, output = plan(folder, f"cat {folder}/said", **{REGISTRY_URL: "sqlite://"})
    assert "\x1b" not in output
