"""A copy of the checkout with its own sandbox, so that tests never touch the user's."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.machine.paths import here

CHECKOUT = here().checkout
PARTS = (
    "__main__.py",
    "Pulumi.yaml",
    "components",
    "models",
    "sandbox",
    "delivery",
    "policy",
    "pyproject.toml",
)
# A model file with what every model must have.
MODEL = """\
owner: team-a
image: registry.example.com/team/model
resources:
  requests: {cpu: "1", memory: 2Gi, ephemeral-storage: 128Mi}
  limits: {cpu: "2", memory: 4Gi, ephemeral-storage: 1536Mi}
"""
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Clone:
    """A project folder and the environment of its commands."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    namespace: str = "ml-clone"

    def write_stack(self, models: str, more: str = "") -> None:
        """Write Pulumi.test.yaml with the salt of the empty passphrase, as the committed stack files have it."""
        salt = (CHECKOUT / "Pulumi.staging.yaml").read_text().rpartition("encryptionsalt:")[2]
        (self.path / "Pulumi.test.yaml").write_text(
            f"config:\n  ml-deployments:namespace: {self.namespace}\n{more}"
            f"  ml-deployments:models:\n{models}encryptionsalt:{salt}"
        )

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; its output is captured."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the project, in a new process group."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def python(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m ...` of the project."""
        return self.run(sys.executable, "-m", *arguments, check=check, **environment)

    def pulumi(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run pulumi on the stage `test`, as a person types it."""
        return self.run(
            "pulumi", *arguments, "--stack", "test", "--non-interactive", check=check, **environment
        )

    def up(self, *flags: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """`pulumi up` of the stage."""
        return self.pulumi("up", "--yes", "--skip-preview", *flags, check=check, **environment)

    def get(
        self, kind: str, name: str | None = None, *, namespace: str | None = None, selector: str | None = None
    ) -> dict[str, Any]:
        """An object, or all objects of a kind that a selector matches; by default in the project's namespace."""
        more = [] if name is None else [name]
        if selector is not None:
            more.append(f"--selector={selector}")
        where = f"--namespace={namespace or self.namespace}"
        text = self.run("kubectl", "get", kind, *more, where, "--output=json").stdout
        data: dict[str, Any] = json.loads(text)
        return data

    def ready_endpoints(self) -> int:
        """How many replicas the Services of the namespace send requests to."""
        slices = self.get("endpointslices")["items"]
        return sum(endpoint["conditions"]["ready"] for item in slices for endpoint in item["endpoints"] or ())

    def preview_steps(self) -> list[tuple[str, str]]:
        """What a preview would do: operation and URN of each step that is not unchanged."""
        digest = json.loads(self.pulumi("preview", "--json").stdout)
        return [(step["op"], step["urn"]) for step in digest["steps"] if step["op"] != "same"]


def copy_project(target: Path) -> Path:
    """Copy the files of a project, without stack files; its .venv is the interpreter's."""
    target.mkdir(parents=True)
    for name in PARTS:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    (target / ".venv").symlink_to(sys.prefix)
    return target


def models(count: int, version: str = "v1", replicas: int = 1) -> str:
    """The entries of `count` models m000, m001, ..."""
    return "".join(
        f'    m{number:03}: {{version: "{version}", replicas: {replicas}}}\n' for number in range(count)
    )


def model_files(folder: Path, count: int) -> None:
    """Model files m000.yaml, m001.yaml, ... of the example's shape."""
    text = (CHECKOUT / "models" / "sentiment-classifier.yaml").read_text()
    for number in range(count):
        (folder / "models" / f"m{number:03}.yaml").write_text(text)


def one_model(folder: Path, model: str, *, replicas: int = 1, more: str = "") -> Path:
    """A project for the program alone, whose stage `test` has only the model `a`; returns the folder.

    Args:
        folder: Where it is created.
        model: The model file.
        replicas: The stage's number of replicas.
        more: Further lines of the stack file, two spaces deep.
    """
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "a.yaml").write_text(model)
    entry = f'    a: {{version: "v1", replicas: {replicas}}}\n'
    Clone(folder, namespace="ml-test").write_stack(entry, more)
    shutil.copy(CHECKOUT / "__main__.py", folder / "__main__.py")
    return folder
