"""Runs `delivery render --commit` in small repositories, and reads the branch it makes."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from delivery.cli import app
from tests.support.projects import GOOD_STACK
from tests.support.repositories import git

BRANCH = "rendered/test"
V2 = GOOD_STACK.replace('"v1"', '"v2"')


def commit(folder: Path, subject: str, stack: str | None = None) -> str:
    if stack is not None:
        (folder / "Pulumi.test.yaml").write_text(stack)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", f"--message={subject}")
    return git(folder, "rev-parse", "HEAD")


def run(folder: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["render", "test", "--commit", "--project", str(folder), *more])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def tips(folder: Path) -> list[str]:
    return git(folder, "log", "--format=%s", BRANCH).splitlines()


def image(folder: Path, revision: str = BRANCH) -> str:
    deployment = yaml.safe_load(git(folder, "show", f"{revision}:deployment-a.yaml"))
    found: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return found
