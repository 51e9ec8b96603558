"""Versions of the example: trained, registered in MLflow, and pushed as images."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from demo.project import AGAIN, MODEL
from sandbox.harness.registries import EXAMPLE, EXAMPLE_PYTHON
from sandbox.images.push import push_image

TRAINING_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Registries:
    """The targets of versions: the image registry's host and the model registry's address."""

    images: str
    models: str


def publish(version: str, registries: Registries, folder: Path, *, share: float = 1.0) -> str:
    """Train a version on the first part of the example's data, register it and push its image; returns the digest.

    Args:
        version: Its tag.
        registries: The target registries.
        folder: An empty folder.
        share: The fraction of the data to train on: less makes a worse model.

    Raises:
        UserError: it was not registered.
    """
    lines = (EXAMPLE / "data" / "reviews.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    data = folder / "reviews.tsv"
    data.write_text("".join(lines[: 1 + int((len(lines) - 1) * share)]), encoding="utf-8")
    names = {"--tracking-uri": registries.models, "--version": version, "--data": data, "--output": folder}
    command = [str(part) for pair in names.items() for part in pair]
    done = subprocess.run(
        [EXAMPLE_PYTHON, "register.py", *command],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=TRAINING_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise UserError(f"{version} was not registered", AGAIN, said=(done.stdout + done.stderr).strip())
    server = {str(path.relative_to(EXAMPLE)): path.read_bytes() for path in (EXAMPLE / "server").glob("*.py")}
    files = {**server, "model.skops": (folder / "model.skops").read_bytes()}
    return push_image(f"{registries.images}/{MODEL}:{version}", files)
