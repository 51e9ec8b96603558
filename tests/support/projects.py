"""Builds small projects for tests, a stack file and model files on disk, and renders them."""

import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.stack import load_stack
from delivery.rendering.render import manifests
from sandbox.harness import clone

CHECKOUT, MODEL = clone.CHECKOUT, clone.MODEL
Objects = dict[str, dict[str, Any]]


def entry(text: str) -> str:
    """A stack file whose model `a` has the given entry."""
    body = dedent(text).strip().replace("\n", "\n      ")
    return f"config:\n  ml-deployments:namespace: ml-test\n  ml-deployments:models:\n    a:\n      {body}\n"


GOOD_STACK = entry('version: "v1"\nreplicas: 2')


def project(folder: Path, stack: str | bytes = GOOD_STACK, **models: str | bytes) -> Path:
    """Write Pulumi.test.yaml, models/*.yaml (default: one good model `a`) and the program; returns the folder."""
    (folder / "models").mkdir(parents=True, exist_ok=True)
    _write(folder / "Pulumi.test.yaml", stack)
    for name, text in (models or {"a": MODEL}).items():
        _write(folder / "models" / f"{name}.yaml", text)
    shutil.copy(CHECKOUT / "__main__.py", folder / "__main__.py")
    return folder


def problems(folder: Path) -> tuple[Problem, ...]:
    """What is wrong with the stage `test` of a project."""
    with pytest.raises(SettingsError) as caught:
        load_stack(Sources.of(folder), "test")
    return caught.value.problems


def named(folder: Path) -> Objects:
    """The rendered objects of the stage `test`, by kind and name, like `Deployment a`."""
    return {f"{m['kind']} {m['metadata']['name']}": m for m in manifests(folder, "test")}


def _write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
