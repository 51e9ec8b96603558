"""Repositories whose changes are reviewed without an engine and a cluster: stand-ins answer for both."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from delivery.cli import app
from tests.support.projects import MODEL
from tests.support.repositories import Work

STAGE = "production"
FILE = f"Pulumi.{STAGE}.yaml"
STACK = f"""\
config:
  ml-deployments:namespace: ml-{STAGE}
  ml-deployments:requireDigest: true
  ml-deployments:policy: {{highAvailability: true}}
  ml-deployments:models:
    a: {{version: "v1", replicas: 2, digest: "sha256:{"1" * 64}"}}
"""
_KINDS = '{"resources": [{"name": "pods", "version": "v1", "kind": "Pod", "namespaced": true, "verbs": []}]}'
_KUBECTL = (
    f"""case "$*" in *api-resources*) echo '{_KINDS}' ;; *) echo '{{"kind": "List", "items": []}}' ;; esac"""
)
_CODE = {
    "policy/rules/images.py": "def image_tag():\n    yield\n",
    "Makefile": "review:\n\techo review\n",
    "__main__.py": "",
}


def stand_ins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a pulumi with an empty preview and a kubectl whose cluster answers in front of PATH; returns their folder."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name, said in (("pulumi", "echo '{}'"), ("kubectl", _KUBECTL)):
        (programs / name).write_text(f"#!/bin/sh\n{said}\n")
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return programs


def repository(folder: Path, stack: str = STACK, **code: str) -> Work:
    """A repository with one stage, one model and some code."""
    work = Work.new(folder)
    work.git("rm", "--quiet", "Pulumi.staging.yaml")
    work.commit("Stage", {FILE: stack, "models/a.yaml": MODEL, **_CODE, **code})
    return work


def reviewed(work: Work, *flags: str) -> tuple[int, str]:
    """The exit code of a review of the last commit, and its page."""
    command = ["review", "HEAD~1..HEAD", "--stage", STAGE, "--project", str(work.folder), *flags]
    result = CliRunner().invoke(app, command)
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout
