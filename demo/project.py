"""The demo's own repository: this checkout's files with a small example, a bare remote, and its own sandbox."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from sandbox.harness.clone import CHECKOUT
from sandbox.harness.sandboxes import shell_variables

AGAIN = "read what it says, repair that, and run the demo again; this checkout is as it was"
MODEL = "sentiment-classifier"
COMMAND_SECONDS = 900
# Variables of a sandbox shell or a user would lead to another cluster or another state.
_FOREIGN = ("KUBECONFIG", "PULUMI_", "GIT_", "MAKE")


@dataclass(frozen=True)
class Project:
    """A git clone of the demo's repository.

    Attributes:
        folder: The clone.
        environment: The variables of its commands in addition to this process' own.
    """

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command in the clone and return what it printed.

        Raises:
            UserError: it ended with another exit code than expected.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**_environment(), **self.environment},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != code:
            raise UserError(
                f"`{' '.join(command)}` ended with {done.returncode}, not {code}", AGAIN, said=said.strip()
            )
        return said

    def delivery(self, *arguments: str, code: int = 0) -> str:
        """Run `python -m delivery`."""
        return self.run(sys.executable, "-m", "delivery", *arguments, code=code)

    def commit(self, message: str) -> None:
        """Commit every changed file and push."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)
        self.run("git", "push", "--quiet", "origin", "main")

    def merge(self, branch: str) -> None:
        """Merge a branch, as a merged pull request does, and push."""
        self.run("git", "merge", "--quiet", "--no-ff", "--no-edit", branch)
        self.run("git", "push", "--quiet", "origin", "main")


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    """Create the repository in an empty folder and start its sandbox, until the block ends."""
    target, origin = folder / "project", folder / "origin.git"
    _copy(target)
    plain = Project(target, {})
    plain.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    plain.run("git", "init", "--quiet", "--initial-branch=main")
    plain.run("git", "remote", "add", "origin", str(origin))
    plain.run("git", "config", "user.name", "Platform Engineer")
    plain.run("git", "config", "user.email", "platform@example.com")
    try:
        plain.run(sys.executable, "-m", "sandbox", "up", "--nodes=simulated")
        yield Project(target, shell_variables(plain.run(sys.executable, "-m", "sandbox", "env")))
    finally:
        plain.run(sys.executable, "-m", "sandbox", "down")


def configure(project: Project, images: str, models: str, version: str, digest: str) -> None:
    """Write the example: one model in two stages that run the same version.

    Args:
        project: The clone.
        images: The image registry's host.
        models: The model registry's address.
        version: The version that both stages run.
        digest: The digest of its image.
    """
    model = project.folder / "models" / f"{MODEL}.yaml"
    text = model.read_text(encoding="utf-8").replace("image: model-registry", f"image: {images}")
    gate = 'gate: {metrics: {f1: {min: "0.80", maxDrop: "0.01"}}}\n'
    model.write_text(f"{text}registeredModel: {{name: {MODEL}}}\n{gate}", encoding="utf-8")
    for stage, replicas, more in (
        ("staging", 2, ""),
        (
            "production",
            3,
            "  ml-deployments:requireDigest: true\n  ml-deployments:policy: {highAvailability: true}\n",
        ),
    ):
        file = project.folder / f"Pulumi.{stage}.yaml"
        salt = file.read_text(encoding="utf-8").rpartition("encryptionsalt:")[2]
        pinned = f'digest: "{digest}", ' if more else ""
        file.write_text(
            f"config:\n  ml-deployments:namespace: ml-demo-{stage}\n"
            f'  ml-deployments:modelRegistry: {{mlflow: "{models}"}}\n{more}'
            f"  ml-deployments:models:\n"
            f'    {MODEL}: {{version: "{version}", {pinned}replicas: {replicas}}}\n'
            f"encryptionsalt:{salt}",
            encoding="utf-8",
        )


def _copy(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if listed.returncode != 0:
        raise UserError(
            f"{CHECKOUT} is not a git clone: {listed.stderr.strip()}",
            "run the demo in a clone of the repository",
        )
    for name in filter(None, listed.stdout.split("\0")):
        source = CHECKOUT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    (target / ".venv").symlink_to(sys.prefix)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
