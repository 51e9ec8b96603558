"""How the command line starts: only what a command needs is loaded, and --project may be on either side."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import CHECKOUT, project
from tests.support.repositories import Work, flow
from tests.unit.commands.test_delivery import run

# What takes long to import. Typer reads arguments with pydantic, unless delivery/plain_arguments.py reads them.
HEAVY = (
    "pydantic",
    "pulumi",
    "pulumi_kubernetes",
    "docker",
    "requests",
    "grafana_foundation_sdk",
    "jinja2",
    "components.settings",
    "components.loading",
    "components.kubernetes",
)
PROGRAM = """
import sys
from delivery.cli import app
sys.argv = ["delivery", *sys.argv[1:]]
try:
    app()
except SystemExit as end:
    print("\\n".join(sys.modules), file=sys.stderr)
    raise
"""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work.new(tmp_path, a=flow("v1"))


def loaded(*arguments: str, code: int = 0) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return set(done.stderr.split("\n"))


@pytest.mark.parametrize(
    "command", [("history",), ("tag", "staging"), ("deployable", "nowhere")], ids=" ".join
)
def test_a_command_that_asks_git_alone_loads_nothing_else(work: Work, command: tuple[str, ...]) -> None:
    modules = loaded(*command, "--project", str(work.folder), code=2 if "nowhere" in command else 0)
    assert "delivery.git.repository" in modules
    assert modules.intersection(HEAVY) == set()


@pytest.mark.parametrize(
    ("command", "most"), [(("history",), 8), (("history", "--json"), 8), (("tag", "staging"), 8)], ids=str
)
def test_a_command_that_asks_git_alone_asks_it_a_few_times_however_long_the_history_is(
    work: Work, tmp_path: Path, command: tuple[str, ...], most: int
) -> None:
    for number in range(2, 12):
        work.release("staging", a=flow(f"v{number}"))
        work.git("tag", "--annotate", "--message=x", f"staging/a/v{number}")
    said = tmp_path / "said"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {said}\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "delivery", *command, "--project", str(work.folder)],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    asked = said.read_text().splitlines()
    assert 0 < len(asked) <= most, asked


@pytest.mark.parametrize(
    "command", [(), ("history",), ("tag",), ("deployable",), ("rollback",)], ids=" ".join
)
def test_help_loads_nothing(command: tuple[str, ...]) -> None:
    modules = loaded(*command, "--help")
    assert "delivery.cli" in modules
    assert modules.intersection(HEAVY) == set()


def test_a_command_that_reads_the_files_loads_what_reads_them(tmp_path: Path) -> None:
    # Otherwise the names above could be wrong without notice.
    assert {"components.settings", "components.loading"} <= loaded(
        "check", "--project", str(project(tmp_path))
    )


def test_the_project_may_stand_before_the_command(tmp_path: Path) -> None:
    folder = project(tmp_path)
    code, out, _ = run("--project", folder, "check")
    assert (code, out) == run("check", "--project", folder)[:2]
    assert "ml-test" in out
    assert run("--project", folder, "show", "test")[1] == run("show", "test", "--project", folder)[1]


def test_the_same_project_may_stand_there_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path)
    monkeypatch.chdir(folder)
    assert run("--project", folder, "check", "--project", ".")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("history", "--project", "nowhere"), "Invalid value for '--project': dir 'nowhere' does not exist"),
        (("--project", "nowhere", "history"), "Invalid value for '--project': dir 'nowhere' does not exist"),
        (("history", "--project", "file"), "dir 'file' is a file"),
        (("history", "--html", "."), "Invalid value for '--html': file '.' is a directory"),
        (("tag",), "Missing argument 'stage'"),
        (("tag", "staging", "--push"), "Option '--push' requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_arguments_that_are_read_without_pydantic_are_refused_as_typer_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, _, err = run(*arguments)
    assert code == 2
    assert reason in " ".join(err.replace("│", " ").split())


def test_two_projects_are_wrong_usage(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    code, _, err = run("--project", first, "check", "--project", second)
    assert code == 2
    said = " ".join(err.replace("│", " ").split())
    assert "before the command" in said
    assert "after it; give one" in said


def test_a_project_for_a_command_that_looks_at_none_is_wrong_usage(tmp_path: Path) -> None:
    code, _, err = run("--project", tmp_path, "schema", "--output", tmp_path / "docs")
    assert code == 2
    assert "schema does not use a checkout" in err
    assert not (tmp_path / "docs").exists()
