"""Settings about registries: what is refused, and what a stage requires."""

from pathlib import Path

import pytest

from tests.support.projects import MODEL, entry, project
from tests.unit.commands.test_delivery import run

STACK = entry('version: "v1"\nreplicas: 2')
REGISTERED = "registeredModel: {name: a}\n"
GATE = REGISTERED + "gate: {metrics: {f1: %s}}\n"


def refused(folder: Path, stack: str, model: str) -> str:
    code, _, err = run("check", "--project", project(folder, stack, a=model))
    assert code == 1
    assert "Traceback" not in err
    return err


def with_stage(line: str) -> str:
    return STACK.replace("  ml-deployments:models:", f"  ml-deployments:{line}\n  ml-deployments:models:")


REGISTRY = with_stage('modelRegistry: {mlflow: "https://mlflow.example.com"}')


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("{}", "has no rule"),
        ('{min: "high"}', "must be a decimal number"),
        ('{min: "NaN"}', "must be a decimal number"),
        ('{min: "1_0"}', "must be a decimal number"),
        ("{min: null}", "has no rule"),
        ("{min: 0.85}", 'quote it: "0.85"'),
        ('{maxDrop: "-0.01"}', "must not be below zero"),
        ('{min: "0.9", max: "0.8"}', "min (0.9) is above max (0.8)"),
        ('{maxdrop: "0.01"}', "write maxDrop"),
    ],
)
def test_a_gate_that_cannot_be_meant(tmp_path: Path, rules: str, said: str) -> None:
    err = refused(tmp_path, REGISTRY, MODEL + GATE % rules)
    assert said in err
    assert "models/a.yaml" in err


def test_a_gate_without_a_registered_model(tmp_path: Path) -> None:
    err = refused(tmp_path, STACK, MODEL + 'gate: {metrics: {f1: {min: "0.8"}}}\n')
    assert "gate: needs registeredModel" in err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('{name: a, versionTag: "a`b"}', "is not a valid key of a tag in MLflow. Fix:"),
        ("{name: a, versionTag: it's}", "is not a valid key of a tag in MLflow. Fix:"),
        ("{name: 'it''s \"a\"'}", "MLflow cannot search for both. Fix:"),
    ],
)
def test_what_mlflow_cannot_be_asked_for(tmp_path: Path, setting: str, said: str) -> None:
    err = refused(tmp_path, REGISTRY, f"{MODEL}registeredModel: {setting}\n")
    assert "models/a.yaml:6: registeredModel." in err
    assert said in err


def test_a_registered_model_in_a_stage_without_a_registry(tmp_path: Path) -> None:
    err = refused(tmp_path, STACK, MODEL + REGISTERED)
    assert "registeredModel: needs a model registry, and test names none" in err
    assert "ml-deployments:modelRegistry" in err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mlflow.example.com", "must be an address"),
        ("https://user:word@mlflow.example.com", "contains a password"),
        ("https://mlflow.example.com?token=a", "must not have a query or a fragment"),
        ("https://mlflow.example.com#a", "must not have a query or a fragment"),
        ("https://mlflow.example.com\\\\@other.example.com", "must be an address"),
        ("https://mlflow.example.com:99999", "must be an address"),
        ("https://:5000", "must be an address"),
        ("https://[::1", "must be an address"),
        ("https://mlfl\u043ew.example.com", "must be an address"),
        ("file:///etc/passwd", "must be an address"),
    ],
)
def test_the_address_of_a_registry(tmp_path: Path, address: str, said: str) -> None:
    err = refused(tmp_path, with_stage(f'modelRegistry: {{mlflow: "{address}"}}'), MODEL)
    assert said in err
    assert "Pulumi.test.yaml:3" in err


def test_a_required_digest_that_is_missing(tmp_path: Path) -> None:
    err = refused(tmp_path, with_stage("requireDigest: true"), MODEL)
    assert "models.a.digest: is missing, and test requires one" in err


def test_a_required_digest_that_is_there(tmp_path: Path) -> None:
    digest = f"sha256:{'1' * 64}"
    stack = with_stage("requireDigest: true").replace('"v1"', f'"v1"\n      digest: "{digest}"')
    assert run("check", "--project", project(tmp_path, stack))[0] == 0


def test_a_stage_may_leave_the_registry_out_for_a_model(tmp_path: Path) -> None:
    stack = STACK.replace("replicas: 2", "replicas: 2\n      registeredModel: null\n      gate: null")
    folder = project(tmp_path, stack, a=MODEL + GATE % '{min: "0.8"}')
    assert run("check", "--project", folder)[0] == 0
