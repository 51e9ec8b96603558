"""A stage that Argo CD follows: its source branch, its rendered branch in a repository on loopback, and what serves."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.harness.argocd import NAMESPACE
from sandbox.harness.clone import CHECKOUT, Clone, copy_project
from sandbox.harness.waiting import eventually

STAGE = "staging"
BRANCH = f"rendered/{STAGE}"
APPLICATION = f"ml-deployments-{STAGE}"
WAIT_SECONDS = 120
# How often the objects name their repository: in the Application, and in what its AppProject allows.
_NAMED = 2
_ASKED = "argocd.argoproj.io/refresh"


@dataclass
class Followed:
    """The stage `staging` of a clone.

    Attributes:
        project: The clone; its namespace is the stage's.
        origin: The bare repository that Argo CD follows.
        first: The first source commit.
        stack: Its stack file.
        seconds: The measured seconds by their description.
    """

    project: Clone
    origin: Path
    first: str
    stack: str
    seconds: dict[str, float] = field(default_factory=dict)

    def commit(self, subject: str, stack: str) -> float:
        """Commit a stack file, render it and push the branch; returns how many seconds rendering and pushing took."""
        (self.project.path / f"Pulumi.{STAGE}.yaml").write_text(stack)
        self.git("commit", "--quiet", "--all", "--allow-empty", f"--message={subject}")
        return self.render()

    def render(self) -> float:
        """Put the commit at HEAD on the rendered branch, and notify Argo CD as a webhook of the git server would."""
        started = time.monotonic()
        self.project.python("delivery", "render", STAGE, "--commit", "--push", "origin")
        took = time.monotonic() - started
        self.refresh()
        return took

    def refresh(self) -> None:
        """Ask Argo CD to refresh now."""
        where = f"--namespace={NAMESPACE}"
        self.project.run(
            "kubectl", "annotate", "application", APPLICATION, f"{_ASKED}=normal", "--overwrite", where
        )

    def apply(self) -> None:
        """Apply what Argo CD follows, and the account that it applies the stage as."""
        self.project.run("kubectl", "apply", f"--filename={self.objects}")

    @property
    def objects(self) -> Path:
        """The file of gitops/ with the repository on loopback."""
        return self.project.path.with_name("application.yaml")

    def compared(self) -> bool:
        """True when Argo CD has refreshed since it was last asked to, and runs nothing."""
        found = self.application()
        running = found["status"].get("operationState", {}).get("phase") == "Running"
        return not running and _ASKED not in found["metadata"].get("annotations", {})

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Argo CD compares and changes nothing, so that a change to the stage is visible before it is undone."""
        self._sync_by_itself(enabled=False)
        try:
            yield
        finally:
            # As it was: the committed Application does not name the field.
            self._sync_by_itself(enabled=None)

    def _sync_by_itself(self, *, enabled: bool | None) -> None:
        patch = json.dumps({"spec": {"syncPolicy": {"automated": {"enabled": enabled}}}})
        where = f"--namespace={NAMESPACE}"
        self.project.run(
            "kubectl", "patch", "application", APPLICATION, "--type=merge", f"--patch={patch}", where
        )

    def git(self, *arguments: str) -> str:
        """Git in the clone."""
        return self.project.run("git", *arguments).stdout.strip()

    def tip(self) -> str:
        """The tip of the rendered branch in the repository that is followed."""
        return self.git("--git-dir", str(self.origin), "rev-parse", BRANCH)

    def application(self) -> dict[str, Any]:
        """The Application as it is."""
        return self.project.get("application", APPLICATION, namespace=NAMESPACE)

    def synced(self, revision: str) -> bool:
        """True when the Application shows a revision, has applied it, and finds everything healthy."""
        status = self.application().get("status", {})
        sync = status.get("sync", {})
        return (sync.get("status"), sync.get("revision")) == ("Synced", revision) and (
            status["health"]["status"] == "Healthy"
        )

    def serving(self, model: str) -> list[str]:
        """The versions behind a model's ready endpoints, one per endpoint."""
        found = self.project.get("endpointslices", selector=f"kubernetes.io/service-name={model}")["items"]
        ready = [
            endpoint["targetRef"]["name"]
            for item in found
            for endpoint in item["endpoints"] or ()
            if endpoint["conditions"]["ready"]
        ]
        pods = self.project.get("pods", selector=f"app.kubernetes.io/name={model}")["items"]
        versions = {p["metadata"]["name"]: p["metadata"]["labels"]["app.kubernetes.io/version"] for p in pods}
        return [versions.get(name, "gone") for name in ready]

    def until(self, condition: Callable[[], object], what: str, *, started: float | None = None) -> float:
        """Wait for a condition; returns the seconds since `started`, or since now."""
        begun = time.monotonic() if started is None else started
        try:
            eventually(condition, WAIT_SECONDS, what)
        except AssertionError:
            raise AssertionError(
                f"{what}: {json.dumps(self.application().get('status', {}), indent=1)[:6000]}"
            ) from None
        return time.monotonic() - begun

    def settle(self) -> None:
        """Everything as first committed, applied and healthy.

        A namespace that a commit took out went with the account's permissions in it, so gitops/ is applied again.
        """
        self.apply()
        self.git("read-tree", "-u", "--reset", self.first)
        self.commit("Back to the first commit", self.stack)
        tip = self.tip()
        self.until(lambda: self.synced(tip), "the first commit is applied")


@contextmanager
def followed(sandbox: Clone, folder: Path) -> Iterator[Followed]:
    """A clone whose committed Application, with another repository URL and nothing else, is applied."""
    path = copy_project(folder / "source")
    for name in ("Pulumi.staging.yaml", "Pulumi.production.yaml"):
        shutil.copy(CHECKOUT / name, path / name)
    shutil.copytree(CHECKOUT / "gitops", path / "gitops")
    (path / ".gitignore").write_text("/.venv\n__pycache__/\n")
    origin = folder / "origin.git"
    project = Clone(path, {**sandbox.environment, "GIT_CONFIG_GLOBAL": "/dev/null"}, f"ml-{STAGE}")
    stack = (path / f"Pulumi.{STAGE}.yaml").read_text()
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True, timeout=60)
    stage = Followed(project=project, origin=origin, first="", stack=stack)
    stage.git("init", "--quiet", "--initial-branch=main")
    stage.git("config", "user.name", "Ada Example")
    stage.git("config", "user.email", "ada@example.com")
    stage.git("remote", "add", "origin", origin.as_uri())
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "--message=Serve")
    stage.first = stage.git("rev-parse", "HEAD")
    project.python("delivery", "render", STAGE, "--commit", "--push", "origin")
    stage.objects.write_text(
        _with_repository((CHECKOUT / "gitops" / "argocd" / f"{STAGE}.yaml").read_text(), origin.as_uri())
    )
    try:
        started = time.monotonic()
        stage.apply()
        first = stage.tip()
        stage.seconds["first sync of the stage"] = stage.until(
            lambda: stage.synced(first), "the stage is applied", started=started
        )
        yield stage
    finally:
        project.run(
            "kubectl",
            "delete",
            f"--filename={stage.objects}",
            "--ignore-not-found",
            "--timeout=60s",
            check=False,
        )
        namespaces = (f"ml-{STAGE}", f"ml-{STAGE}-monitoring")
        project.run(
            "kubectl", "delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=120s", check=False
        )
        owned = f"--selector=ml-deployments/stage={STAGE}"
        project.run(
            "kubectl", "delete", "clusterrole,clusterrolebinding", owned, "--ignore-not-found", check=False
        )


def _with_repository(text: str, repository: str) -> str:
    settings = yaml.safe_load((CHECKOUT / "gitops" / "settings.yaml").read_text())
    assert text.count(settings["repository"]) == _NAMED
    return text.replace(settings["repository"], repository)
