"""What Pulumi would do, according to `pulumi preview`."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import Problem
from delivery.environment import environment_with
from delivery.identity import Identity, identity

SECONDS = 900
_STOP_SECONDS = 10
# The engine's names for the steps of one replacement.
_OPERATIONS = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "discard-replaced": "replace",
    "import": "create",
}
# Messages of plugins that leave a preview incomplete instead of failing it.
_UNREACHABLE = re.compile(r"unreachable|failed to read resource state", re.IGNORECASE)
_NOISE = re.compile(r"^warning: using pulumi-\S+ from \$PATH")
_LOCKED = "currently locked"
# The backend, its passphrase, the cluster, and the clouds that hold either. The program runs in this environment, too:
# it sees no token of a code host, a registry or a feature store.
_WANTED = ("PULUMI_*", "KUBE*", "AWS_*", "AZURE_*", "ARM_*", "GOOGLE_*", "CLOUDSDK_*", "VIRTUAL_ENV")
_SEVERITIES = frozenset({"error", "warning"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing Pulumi would do.

    Attributes:
        operation: create, update, replace or delete.
        object: The object as it is now, or as it will be where there is none now.
        target: The object as it will be; differs from `object` in a replacement that renames or moves.
        fields: The fields that change, as paths; empty for a create and a delete.
        forces: Those of them that cannot be changed in place.
        kept: True for a delete that only forgets: the object itself stays in the cluster.
    """

    operation: str
    object: Identity
    target: Identity
    fields: tuple[str, ...] = ()
    forces: tuple[str, ...] = ()
    kept: bool = False


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The steps on Kubernetes objects, how many stay as they are, and why the preview is not to be trusted."""

    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    problems: tuple[str, ...] = ()

    def number(self, operation: str) -> int:
        """How many objects an operation is done to."""
        return sum(step.operation == operation for step in self.steps)


@contextmanager
def previewing(project: Path, stage: str, seconds: float = SECONDS) -> Iterator[Callable[[], Preview]]:
    """Start `pulumi preview --refresh` in a project's folder; call the result to wait for it.

    The refresh compares the cluster itself, and not only what the last update recorded. A failure is an answer too. A
    preview that was not waited for is stopped at the end of the block.

    Args:
        project: The checkout, with its Python environment in `.venv`.
        stage: The stage; its stack must exist in the backend.
        seconds: How long to wait for it.
    """
    command = ["pulumi", "preview", "--json", "--refresh", "--non-interactive", "--stack", stage]
    try:
        process = _start(command, project)
    except FileNotFoundError:
        missing = Problem("pulumi is not installed", "install the Pulumi CLI, or open a sandbox shell")
        yield lambda: Preview(problems=(str(missing),))
        return
    with process:
        try:
            yield lambda: _answer(process, stage, seconds)
        finally:
            if process.poll() is None:
                _end(process)


def parse(output: str, said: str, code: int, stage: str) -> Preview:
    """What a preview printed as JSON, its standard error, and its exit code."""
    try:
        digest: dict[str, Any] = json.loads(output)
    except ValueError:
        return Preview(problems=(_without_digest(said, code, stage),))
    found = [(s.get("urn", ""), s) for s in digest.get("steps") or () if _is_object(s)]
    steps: dict[str, Step] = {}
    for urn, raw in found:
        if raw["op"] in _OPERATIONS:
            steps.setdefault(urn, _step(raw))
    problems = [
        message
        for entry in digest.get("diagnostics") or ()
        if entry.get("severity") in _SEVERITIES
        and not _NOISE.match(message := str(entry.get("message", "")).strip())
        and (entry["severity"] == "error" or _UNREACHABLE.search(message))
    ]
    if code != 0 and not problems:
        problems = [_without_digest(said, code, stage)]
    return Preview(
        steps=tuple(sorted(steps.values(), key=lambda s: (s.object, s.operation))),
        unchanged=len({urn for urn, _ in found} - steps.keys()),
        problems=tuple(dict.fromkeys(problems)),
    )


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment_with(_WANTED),
        # The engine and its plugins are one group, so that none outlives the limit.
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(process: subprocess.Popen[str], stage: str, seconds: float) -> Preview:
    try:
        output, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        reason = f"`pulumi preview --stack {stage}` did not end within {seconds:.0f} s and was stopped"
        late = Problem(reason, "check that the cluster and the backend answer, then run it again")
        return Preview(problems=(str(late),))
    return parse(output, said, process.returncode, stage)


def _end(process: subprocess.Popen[str]) -> None:
    """An interrupt, on which the engine shuts down cleanly; then whatever is left of the group is killed."""
    os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _is_object(raw: dict[str, Any]) -> bool:
    resource_type = raw.get("urn", "").split("::")[2:3]
    return bool(resource_type) and resource_type[0].rpartition("$")[2].startswith("kubernetes:")


def _step(raw: dict[str, Any]) -> Step:
    now, then = (_inputs(raw.get(key)) for key in ("oldState", "newState"))
    details = raw.get("detailedDiff") or {}
    retained = (raw.get("oldState") or {}).get("retainOnDelete") is True
    return Step(
        operation=_OPERATIONS[raw["op"]],
        object=_named(raw, now or then),
        target=_named(raw, then or now),
        fields=tuple(sorted(details)) if raw["op"] != "delete" else (),
        forces=tuple(
            sorted(path for path, detail in details.items() if "replace" in str(detail.get("kind", "")))
        ),
        kept=raw["op"] == "delete" and retained,
    )


def _inputs(state: dict[str, Any] | None) -> dict[str, Any]:
    inputs = (state or {}).get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _named(raw: dict[str, Any], inputs: dict[str, Any]) -> Identity:
    if {"apiVersion", "kind"} <= inputs.keys() and (inputs.get("metadata") or {}).get("name"):
        return identity(inputs)
    _, _, types, name = raw["urn"].split("::", 3)
    _, version, kind = types.rpartition("$")[2].split(":")
    group = version.rpartition("/")[0]
    # Pulumi names the core group, which has no name.
    return Identity(kind=kind, namespace="", name=name, group="" if group == "core" else group)


def _without_digest(said: str, code: int, stage: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip() and not _NOISE.match(line)]
    text = "\n".join(lines)
    if f"no stack named '{stage}' found" in text:
        return str(
            Problem(f"the backend has no stack {stage}", f"create it once with `pulumi stack init {stage}`")
        )
    if _LOCKED in text:
        return f"the stack {stage} is locked: an update is running, or was killed. {text}"
    return text or f"pulumi ended with exit code {code} and said nothing"
