"""One sandbox for all integration tests, and a project of its own for each test."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clone import Clone, copy_project, model_files

OPT_OUT = "SKIP_INTEGRATION"
_NUMBERS = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Integration tests are skipped only where somebody says so."""
    for item in items:
        item.add_marker(pytest.mark.integration)
        if os.environ.get(OPT_OUT):
            item.add_marker(pytest.mark.skip(reason=f"{OPT_OUT} is set"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A copy of the checkout whose sandbox is up."""
    for name in list(os.environ):
        if name == "KUBECONFIG" or name.startswith("PULUMI_"):
            del os.environ[name]
    plain = Clone(copy_project(tmp_path_factory.mktemp("sandbox") / "clone"))
    model_files(plain.path, 1)
    plain.write_stack('    m000: {version: "v1", replicas: 1}\n')
    try:
        plain.python("sandbox", "tools", "--all")
        plain.python("sandbox", "up")
        yield Clone(plain.path, sandbox_variables(plain))
    finally:
        plain.python("sandbox", "down")


def sandbox_variables(clone: Clone) -> dict[str, str]:
    """What `eval "$(python -m sandbox env)"` sets, asked of a real shell."""
    lines = clone.python("sandbox", "env").stdout
    names = [line.split("=")[0].removeprefix("export ") for line in lines.splitlines()]
    shown = subprocess.run(
        [
            "bash",
            "-c",
            f'{lines}\nfor name in {" ".join(names)}; do printf "%s=%s\\0" "$name" "${{!name}}"; done',
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(item.split("=", 1) for item in shown.split("\0") if item)


@pytest.fixture
def project(sandbox: Clone, tmp_path: Path) -> Iterator[Clone]:
    """A project with one model `m000` in a stage `test`, with its own namespace and state."""
    folder = copy_project(tmp_path / "project")
    state = tmp_path / "state"
    state.mkdir()
    clone = Clone(
        folder, {**sandbox.environment, "PULUMI_BACKEND_URL": state.as_uri()}, f"ml-{next(_NUMBERS)}"
    )
    model_files(folder, 1)
    clone.write_stack('    m000: {version: "v1", replicas: 3}\n')
    clone.pulumi("stack", "init")
    yield clone
    # Not waited for: the next test has another namespace, and the cluster is removed at the end.
    clone.run("kubectl", "delete", "namespace", clone.namespace, "--ignore-not-found", "--wait=false")
