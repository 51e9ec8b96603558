"""The loop of a model's delivery, step by step: trained, promoted, reviewed, deployed, broken, rolled back."""

import html
import json
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from components.errors import UserError
from demo.project import AGAIN, MODEL, Project, configure, project
from demo.versions import Registries, publish
from sandbox.harness.registries import image_registry, model_registry

Say = Callable[[str], None]
ROLLED = "NewReplicaSetAvailable"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the loop.

    Attributes:
        name: What was done.
        seconds: How long it took, including the start-up time of the commands.
        said: What the command printed, where it is worth reading.
    """

    name: str
    seconds: float
    said: str = ""


class Loop:
    """The loop in a folder: every step is a command that a person or a workflow runs."""

    def __init__(self, folder: Path, project: Project, registries: Registries, say: Say) -> None:
        self.steps: list[Step] = []
        self._folder, self._project, self._registries, self._say = folder, project, registries, say

    def run(self) -> list[Step]:
        """Run the whole loop.

        Raises:
            UserError: a step had another result than expected.
        """
        first = self._train("v1.0.0", share=0.9)
        configure(self._project, self._registries.images, self._registries.models, "v1.0.0", first)
        self._project.commit("Both stages run v1.0.0")
        self._deploy("staging", "v1.0.0")
        self._deploy("production", "v1.0.0")
        self._train("v1.1.0")
        self._release("staging", "v1.1.0", "--version", "v1.1.0")
        self._release("production", "v1.1.0", "--from", "staging")
        self._break()
        self._roll_back()
        self._heal()
        self._look_back()
        return self.steps

    def _train(self, version: str, share: float = 1.0) -> str:
        folder = self._folder / version
        folder.mkdir()
        return self._step(
            f"train {version}, register it in MLflow, push its image",
            lambda: publish(version, self._registries, folder, share=share),
        )

    def _release(self, stage: str, version: str, *options: str) -> None:
        """A version on its way into a stage: promoted, reviewed, merged, deployed, tagged."""
        started = time.monotonic()
        branch = f"promote/{stage}/{MODEL}/{version}"
        self._run(f"promote {version} to {stage}", "promote", MODEL, "--to", stage, *options, "--commit")
        self._run(
            f"review the promotion to {stage}", "review", f"main..{branch}", "--stage", stage, on=branch
        )
        self._add(f"promotion to {stage}: from the command to the reviewed page", started)
        self._project.merge(branch)
        self._deploy(stage, version)

    def _deploy(self, stage: str, version: str) -> None:
        """What the workflow does after a merge: deploy, verify, tag, push the tags."""
        merged, started = datetime.now(UTC), time.monotonic()
        self._project.run("make", "deploy", f"STAGE={stage}")
        self._add(f"deploy {version} to {stage} and verify it", started)
        served = self._served(stage, version)
        self._say(f"   {version} serves in {stage} {(served - merged).total_seconds():.0f} s after the merge")
        self.steps.append(
            Step(name=f"merge to serving: {version} in {stage}", seconds=(served - merged).total_seconds())
        )
        self._project.run("make", "tag", f"STAGE={stage}")
        self._project.run("make", "push-tags", f"STAGE={stage}")

    def _break(self) -> None:
        """A worse version: the gate refuses it, and someone writes it into the file anyway."""
        digest = self._train("v1.2.0", share=0.5)
        self._run(
            "promote v1.2.0 to production: refused by the gate",
            *("promote", MODEL, "--to", "production", "--version", "v1.2.0", "--commit"),
            code=1,
        )
        file = self._project.folder / "Pulumi.production.yaml"
        text = file.read_text(encoding="utf-8")
        old = next(line for line in text.splitlines() if MODEL in line)
        new = f'    {MODEL}: {{version: "v1.2.0", digest: "{digest}", replicas: 3}}'
        self._project.run("git", "switch", "--quiet", "--create", "by-hand")
        file.write_text(text.replace(old, new), encoding="utf-8")
        self._project.run("git", "commit", "--quiet", "--all", "--message", "Run v1.2.0 in production")
        self._run(
            "review the edit by hand: stopped",
            *("review", "main..by-hand", "--stage", "production"),
            code=1,
        )
        self._project.run("git", "switch", "--quiet", "main")
        self._project.merge("by-hand")
        self._deploy("production", "v1.2.0")

    def _roll_back(self) -> None:
        branch = f"rollback/production/{MODEL}/v1.1.0"
        self._run("roll back", "rollback", MODEL, "--stage", "production", "--commit")
        self._project.merge(branch)
        self._deploy("production", "v1.1.0")

    def _heal(self) -> None:
        """Someone changes the cluster by hand; a workflow finds it, and a person heals it."""
        namespace = "--namespace=ml-demo-production"
        self._project.run("kubectl", "scale", f"deployment/{MODEL}", "--replicas=1", namespace)
        self._project.run("kubectl", "set", "env", f"deployment/{MODEL}", "DEBUG=1", namespace)
        self._run("find what was changed by hand", "drift", "production", code=3)
        self._run("heal it", "drift", "production", "--heal")

    def _look_back(self) -> None:
        self._run("who did what", "history", MODEL, "--stage", "production")
        page = self._folder / "fleet.html"
        self._project.delivery("history", "--html", str(page))

    def _served(self, stage: str, version: str) -> datetime:
        """When the last replica of a version became ready, according to the cluster."""
        namespace = f"--namespace=ml-demo-{stage}"
        text = self._project.run("kubectl", "get", "deployment", MODEL, namespace, "--output=json")
        found = json.loads(text)
        if found["metadata"]["labels"]["app.kubernetes.io/version"] != version:
            raise UserError(f"{stage} does not run {version}", AGAIN, said=text)
        rolled = [c for c in found["status"]["conditions"] if c["reason"] == ROLLED]
        return datetime.fromisoformat(rolled[0]["lastUpdateTime"])

    def _run(self, name: str, *arguments: str, code: int = 0, on: str | None = None) -> None:
        if on is not None:
            self._project.run("git", "switch", "--quiet", on)
        said = self._step(name, lambda: self._project.delivery(*arguments, code=code))
        if on is not None:
            self._project.run("git", "switch", "--quiet", "main")
        self._say(_readable(said))

    def _step(self, name: str, work: Callable[[], str]) -> str:
        started = time.monotonic()
        self._say(f"\n== {name}")
        said = work()
        self.steps.append(Step(name=name, seconds=time.monotonic() - started, said=said))
        return said

    def _add(self, name: str, started: float) -> None:
        self.steps.append(Step(name=name, seconds=time.monotonic() - started))


def _readable(said: str) -> str:
    """A command's output for a terminal: a page without its folded manifests and its escapes."""
    shown, _, _ = said.partition("<details>")
    return html.unescape(re.sub(r"</?code>|<br>", " ", shown)).rstrip()


def run(folder: Path, say: Say) -> list[dict[str, object]]:
    """Run the loop in an empty folder; returns its steps as plain data.

    Raises:
        UserError: a step had another result than expected, or a server did not start.
    """
    for name in ("images", "models"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        say("Starting a sandbox, an image registry and an MLflow server")
        own = stack.enter_context(project(folder))
        images = stack.enter_context(image_registry(folder / "images"))
        models = stack.enter_context(model_registry(folder / "models"))
        return [
            asdict(step) for step in Loop(folder, own, Registries(images=images, models=models), say).run()
        ]
