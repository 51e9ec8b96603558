"""The loop of a release among N models, each step against the minimum that could do it, in the same run.

A version serves when its last replica is ready. A deployment is compared with `kubectl apply` of the same rendered
manifests in a separate namespace. In pull mode a real Argo CD follows the rendered branch; an annotation notifies it of
each push, as the webhook of a git server would.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.clock import Clock
from benchmarks.deploying import SIZES
from delivery.rendering.render import render
from sandbox.harness.argocd import argocd
from sandbox.harness.clone import Clone, copy_project, model_files, models
from sandbox.harness.followed import STAGE, Followed, followed
from sandbox.harness.repository import commit, git, initialise, replace, review
from sandbox.harness.sandboxes import project_of, running_sandbox

RUNS = {1: 3, 10: 3, 100: 2}
_MODEL = "m000"
_LABEL = r"{.spec.template.metadata.labels.app\.kubernetes\.io/version}"
_APPLY = "kubectl apply"
_PUSH = {
    "promote": "git commit",
    "review": "pulumi preview",
    "promotion command to reviewed page": "pulumi preview",
    "merge to serving, push": _APPLY,
    "merge to verified, push": _APPLY,
    "rollback command to serving, push": _APPLY,
}
_PULL = {
    "render and push": "git commit",
    "commit to serving, pull": _APPLY,
    "git revert to serving, pull": _APPLY,
}


def measure(folder: Path) -> list[dict[str, object]]:
    """Seconds of each step and of what it is compared with, median and minimum of the rounds, for each size."""
    with running_sandbox(folder / "sandbox") as sandbox:
        rows = [row for size in SIZES for row in _push(sandbox, folder / f"push-{size}", size)]
        (folder / "pull").mkdir()
        with argocd(sandbox, folder / "pull"), followed(sandbox, folder / "pull") as stage:
            return rows + [row for size in SIZES for row in _pull(stage, folder / f"pull-{size}", size)]


class Floor:
    """`kubectl apply` of N models to a separate namespace."""

    def __init__(self, sandbox: Clone, folder: Path, size: int) -> None:
        self._project = Clone(copy_project(folder / "floor"), sandbox.environment, f"floor-{folder.name}")
        self._size = size
        model_files(self._project.path, size)
        self.deploy("v1", Clock())

    def deploy(self, version: str, clock: Clock) -> None:
        """Give the first model a version, and measure the time from the manifests to its last replica."""
        project = self._project
        project.write_stack(_models(self._size, version))
        render(project.path, "test", project.path / "manifests")
        with clock.step(_APPLY):
            project.run("kubectl", "apply", "--server-side", "--filename=manifests")
            _rolled_out(project)


def _push(sandbox: Clone, folder: Path, size: int) -> Iterator[dict[str, object]]:
    project = project_of(sandbox, folder, folder.name, size)
    project.write_stack(_models(size, "v1"))
    text = (project.path / "Pulumi.test.yaml").read_text()
    (project.path / "Pulumi.source.yaml").write_text(text.replace(folder.name, f"{folder.name}-source"))
    initialise(project)
    git(project, "config", "user.name", "Test")
    git(project, "config", "user.email", "test@example.com")
    project.pulumi("stack", "init")
    project.run("make", "deploy", "STAGE=test")
    clock, floor = Clock(), Floor(sandbox, folder, size)
    for number in range(1, RUNS[size] + 1):
        _release(project, clock, f"v{number}", f"v{number + 1}")
        floor.deploy(f"v{number + 1}", clock)
        _roll_back(project, clock)
        floor.deploy("v1", clock)
    yield from clock.rows({"models": size}, _PUSH)


def _release(project: Clone, clock: Clock, old: str, new: str) -> None:
    branch = f"promote/test/{_MODEL}/{new}"
    with clock.step("git commit"):
        replace(project, _entry(old), _entry(new), "Pulumi.source.yaml")
        commit(project, f"{new} in the stage before")
    with clock.step("promotion command to reviewed page"):
        with clock.step("promote"):
            project.python("delivery", "promote", _MODEL, "--from", "source", "--to", "test", "--commit")
        git(project, "switch", "--quiet", branch)
        with clock.step("review"):
            code, page = review(project, "main..HEAD")
    assert code == 0, page
    with clock.step("pulumi preview"):
        project.pulumi("preview", "--json")
    git(project, "switch", "--quiet", "main")
    with _serving(clock, "merge to serving, push", project, new), clock.step("merge to verified, push"):
        git(project, "merge", "--quiet", "--no-ff", "--no-edit", branch)
        project.run("make", "deploy", "STAGE=test")


def _roll_back(project: Clone, clock: Clock) -> None:
    branch = f"rollback/test/{_MODEL}/v1"
    with _serving(clock, "rollback command to serving, push", project, "v1"):
        project.python("delivery", "rollback", _MODEL, "--stage", "test", "--commit")
        git(project, "merge", "--quiet", "--no-ff", "--no-edit", branch)
        project.run("make", "deploy", "STAGE=test")
    git(project, "branch", "--quiet", "--delete", branch)


def _pull(stage: Followed, folder: Path, size: int) -> Iterator[dict[str, object]]:
    project, clock = stage.project, Clock()
    floor = Floor(project, folder, size)
    model_files(project.path, size)
    stack = f"config:\n  ml-deployments:namespace: {project.namespace}\n  ml-deployments:models:\n"
    git(project, "add", "--all")
    stage.commit(f"Serve {size}", stack + _models(size, "v1"))
    _synced(stage)
    for _ in range(RUNS[size]):
        with _serving(clock, "commit to serving, pull", project, "v2"):
            replace(project, _entry("v1"), _entry("v2"), f"Pulumi.{STAGE}.yaml")
            with clock.step("git commit"):
                commit(project, "Serve v2")
            clock.taken["render and push"].append(stage.render())
        _synced(stage)
        floor.deploy("v2", clock)
        with _serving(clock, "git revert to serving, pull", project, "v1"):
            git(project, "revert", "--no-edit", "HEAD")
            clock.taken["render and push"].append(stage.render())
        _synced(stage)
        floor.deploy("v1", clock)
    yield from clock.rows({"models": size}, _PULL)


def _synced(stage: Followed) -> None:
    tip = stage.tip()
    stage.until(lambda: stage.synced(tip), "the commit is applied")


def _models(size: int, first: str) -> str:
    return models(size).replace('"v1"', f'"{first}"', 1)


def _entry(version: str) -> str:
    return f'{_MODEL}: {{version: "{version}"'


@contextmanager
def _serving(clock: Clock, name: str, project: Clone, version: str) -> Iterator[None]:
    """Measure the time from the start of the block until the version serves, which may be before or after its end."""
    with ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        served = pool.submit(_served, project, version)
        yield
        clock.taken[name].append(served.result() - started)


def _served(project: Clone, version: str) -> float:
    where = (f"deployment/{_MODEL}", f"--namespace={project.namespace}", "--timeout=280s")
    project.run("kubectl", "wait", f"--for=jsonpath={_LABEL}={version}", *where)
    _rolled_out(project)
    return time.perf_counter()


def _rolled_out(project: Clone) -> None:
    where = (f"deployment/{_MODEL}", f"--namespace={project.namespace}", "--timeout=280s")
    project.run("kubectl", "rollout", "status", *where)
