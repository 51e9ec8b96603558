"""What a preview printed, as steps and problems."""

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from delivery.identity import Identity
from delivery.review.locks import locked
from delivery.review.preview import parse, previewing
from sandbox.harness.waiting import wait_for
from sandbox.machine.processes import command_line

PREFIX = "urn:pulumi:test::ml-deployments::ml-deployments:index:Model$kubernetes:apps/v1:Deployment::"
WARNING = "warning: configured Kubernetes cluster is unreachable: unable to load schema information"


def state(name: str = "m", namespace: str = "ml-test") -> dict[str, Any]:
    return {
        "inputs": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
        }
    }


def raw(operation: str, urn: str = f"{PREFIX}m", **more: Any) -> dict[str, Any]:
    return {"op": operation, "urn": urn, **more}


def digest(*steps: dict[str, Any], diagnostics: list[dict[str, str]] | None = None) -> str:
    return json.dumps({"steps": steps, "diagnostics": diagnostics or []})


def test_steps_are_named_by_their_objects() -> None:
    detail = {"spec.replicas": {"kind": "update"}, "metadata.namespace": {"kind": "update-replace"}}
    text = digest(
        raw("replace", oldState=state(), newState=state(namespace="other"), detailedDiff=detail),
        raw("same", f"{PREFIX}n"),
        raw("refresh", f"{PREFIX}o"),
        raw("refresh"),
        raw(
            "update",
            "urn:pulumi:test::ml-deployments::ml-deployments:index:Stage$pulumi:providers:kubernetes::k",
        ),
    )
    found = parse(text, "", 0, "test")
    (step,) = found.steps
    assert (step.operation, step.object, step.target) == (
        "replace",
        Identity(kind="Deployment", namespace="ml-test", name="m", group="apps"),
        Identity(kind="Deployment", namespace="other", name="m", group="apps"),
    )
    assert step.fields == ("metadata.namespace", "spec.replicas")
    assert step.forces == ("metadata.namespace",)
    assert found.unchanged == 2
    assert found.problems == ()


@pytest.mark.parametrize(("version", "group"), [("apps/v1", "apps"), ("core/v1", "")])
def test_an_object_whose_name_pulumi_does_not_know_yet_is_named_as_in_the_program(
    version: str, group: str
) -> None:
    urn = f"urn:pulumi:test::ml-deployments::ml-deployments:index:Model$kubernetes:{version}:Any::m"
    (step,) = parse(digest(raw("create", urn, newState={"inputs": {"kind": "Any"}})), "", 0, "test").steps
    assert step.object == Identity(kind="Any", namespace="", name="m", group=group)


def test_the_parts_of_a_replacement_are_one() -> None:
    parts = ("delete-replaced", "create-replacement")
    found = parse(digest(*(raw(op, oldState=state(), newState=state()) for op in parts)), "", 0, "test")
    assert [step.operation for step in found.steps] == ["replace"]


@pytest.mark.parametrize(
    ("diagnostics", "problems"),
    [
        ([{"severity": "warning", "message": WARNING}], (WARNING,)),
        ([{"severity": "error", "message": "error: no\n"}], ("error: no",)),
        ([{"severity": "warning", "message": "warning: apiVersion is old"}], ()),
        (
            [
                {
                    "severity": "warning",
                    "message": "warning: using pulumi-resource-kubernetes from $PATH at /x",
                }
            ],
            (),
        ),
        ([{"severity": "info", "message": "unreachable"}], ()),
    ],
)
def test_a_warning_that_the_cluster_is_unreachable_is_a_problem(
    diagnostics: list[dict[str, str]], problems: tuple[str, ...]
) -> None:
    assert parse(digest(raw("same"), diagnostics=diagnostics), "", 0, "test").problems == problems


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("error: no stack named 'test' found", "pulumi stack init test"),
        (
            "error: the stack is currently locked by 1 lock(s)",
            "is locked: an update is running, or was killed",
        ),
        ("panic", "panic"),
        ("", "exit code 255"),
    ],
)
def test_no_digest_is_a_problem(said: str, problem: str) -> None:
    (found,) = parse("", said, 255, "test").problems
    assert problem in found


def test_a_failure_that_the_digest_does_not_show_is_still_one() -> None:
    assert parse(digest(raw("same")), "error: odd", 1, "test").problems == ("error: odd",)


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_a_preview_that_does_not_end_is_stopped_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, monkeypatch, f"sleep 600 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with previewing(tmp_path, "test", seconds=0.5) as preview:
        (problem,) = preview().problems
    assert "did not end within 0 s" in problem or "did not end within 1 s" in problem
    assert time.monotonic() - started < 60
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: command_line(child) == "", what="what it started ends too")


def test_a_preview_that_is_not_waited_for_ends_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, monkeypatch, f"sleep 600 & echo $! > {tmp_path}/child; wait")
    child = tmp_path / "child"
    with previewing(tmp_path, "test"):
        wait_for(lambda: child.is_file() and child.read_text().strip())
    wait_for(lambda: command_line(int(child.read_text())) == "", what="what it started ends too")


def test_pulumi_runs_in_the_projects_folder_and_refreshes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, monkeypatch, 'echo "{}"; echo "$PWD $*" > "$PWD/said"')
    project = tmp_path / "project"
    project.mkdir()
    with previewing(project, "test") as preview:
        assert preview().problems == ()
    said = (project / "said").read_text()
    assert said.startswith(str(project))
    assert "--refresh" in said
    assert "--stack test" in said


def test_locks_of_a_file_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "a b/.pulumi/locks/organization/ml-deployments/staging/x.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "a b").as_uri())
    assert locked(["staging", "production"]) == {"staging"}
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert locked(["staging"]) == frozenset()
