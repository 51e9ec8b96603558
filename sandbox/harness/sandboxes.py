"""A separate sandbox for tests, demo and benchmarks, and projects that are deployed to it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.harness.clone import Clone, copy_project, model_files, models


@contextmanager
def running_sandbox(folder: Path) -> Iterator[Clone]:
    """A copy of the checkout in the folder, whose sandbox is up and is removed at the end."""
    plain = Clone(copy_project(folder))
    model_files(plain.path, 1)
    plain.write_stack(models(1))
    try:
        plain.python("sandbox", "up", "--nodes=simulated")
        yield Clone(plain.path, shell_variables(plain.python("sandbox", "env").stdout))
    finally:
        plain.python("sandbox", "down")


def shell_variables(lines: str) -> dict[str, str]:
    """The variables that `python -m sandbox env` sets, read from a real shell.

    Args:
        lines: What it printed.
    """
    names = [line.partition("=")[0].removeprefix("export ") for line in lines.splitlines()]
    shown = subprocess.run(
        [
            "bash",
            "-c",
            f'{lines}\nfor name in {" ".join(names)}; do printf "%s=%s\\0" "$name" "${{!name}}"; done',
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    return dict(item.split("=", 1) for item in shown.split("\0") if item)


def project_of(sandbox: Clone, folder: Path, namespace: str, count: int) -> Clone:
    """A project in the folder with its own Pulumi state and model files m000, m001, ...; it has no stack yet."""
    state = folder / "state"
    state.mkdir(parents=True)
    environment = {**sandbox.environment, "PULUMI_BACKEND_URL": state.as_uri()}
    project = Clone(copy_project(folder / "project"), environment, namespace)
    model_files(project.path, count)
    return project
