"""Runs a project's `__main__.py` without the Pulumi engine, and records all that it registers.

Usage: `python -m sandbox.harness.registrations --compare CHECKOUT OTHER` runs the committed and the rich stages with
the programs of two checkouts and lists every resource that is not registered alike.
"""

import asyncio
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.settings import reset_options
from pulumi.runtime.stack import run_pulumi_func

PROJECT = "ml-deployments"
KUBERNETES = "kubernetes:"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What the engine is given of one resource; whole numbers are integers.

    Attributes:
        type: Its type token.
        name: Its logical name.
        parent: The URN of its parent, and `provider` that of its provider with an identifier; empty where it has none.
        inputs: Its inputs.
        dependencies: The URNs of what it waits for, in order.
        timeouts: How long the engine waits, by operation.
        retain_on_delete: It stays when nothing declares it any more.
        ignore_changes: The properties whose changes are ignored.
        version: The version of its provider's plugin.
    """

    type: str
    name: str
    parent: str
    provider: str
    inputs: dict[str, Any]
    dependencies: tuple[str, ...]
    timeouts: dict[str, str]
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    version: str


class _Accepted(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}_id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


class _Monitor(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Accepted())
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.requests.append(request)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def record(project: Path, stage: str) -> list[Registered]:
    """Everything a project's program registers for a stage, ordered by type, name and parent."""
    monitor = _Monitor()
    try:
        with _event_loop() as loop:
            set_mocks(_Accepted(), project=PROJECT, stack=stage, preview=True, monitor=monitor)
            set_all_config(_engine_config(project / f"Pulumi.{stage}.yaml"))
            program = str(project / "__main__.py")

            def run() -> None:
                runpy.run_path(program, run_name="__main__")

            loop.run_until_complete(run_pulumi_func(run))
    finally:
        reset_options()
    return sorted(map(_registered, monitor.requests), key=lambda r: (r.type, r.name, r.parent))


def _registered(request: Any) -> Registered:
    return Registered(
        type=request.type,
        name=request.name,
        parent=request.parent,
        provider=request.provider,
        inputs=_plain(MessageToDict(request.object)),
        dependencies=tuple(sorted(request.dependencies)),
        timeouts=MessageToDict(request.customTimeouts),
        retain_on_delete=request.retainOnDelete,
        ignore_changes=tuple(request.ignoreChanges),
        version=request.version,
    )


def _plain(value: Any) -> Any:
    """The value with whole numbers as integers: protobuf carries every number as a float."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the program, and one for each thread that serves its requests.

    The SDK's mocks make a loop in every thread that has none and never close it; the interpreter then prints a
    traceback when it collects some of them.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def open_loop() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops.append(loop)

    open_loop()
    threads = ThreadPoolExecutor(initializer=open_loop)
    loops[0].set_default_executor(threads)
    try:
        yield loops[0]
    finally:
        threads.shutdown(wait=True)
        for loop in loops:
            loop.close()
        asyncio.set_event_loop(None)


def _engine_config(file: Path) -> dict[str, str]:
    """The stack file's config as the engine passes it: texts as they are, all else as JSON."""
    config = yaml.safe_load(file.read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def _of_checkout(checkout: Path, projects: Mapping[str, tuple[Path, str]]) -> dict[str, Any]:
    """What a checkout's own program registers for each project and stage; it runs in a process of its own."""
    found: dict[str, Any] = {}
    for name, (project, stage) in projects.items():
        done = subprocess.run(
            [sys.executable, __file__, str(project), stage],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
            check=True,
        )
        for one in json.loads(done.stdout):
            found[
                f"{name}: {one['parent'].rpartition('::')[0].rpartition('::')[2]}${one['type']}::{one['name']}"
            ] = one
    return found


def _compare(checkouts: Sequence[Path]) -> int:
    from tests.support.rich_stages import RICH_STAGES, STAGE  # noqa: PLC0415

    results = []
    for checkout in checkouts:
        with tempfile.TemporaryDirectory() as folder:
            projects = {
                file.name: (checkout, file.name.split(".")[1]) for file in checkout.glob("Pulumi.*.yaml")
            }
            for name, rich in RICH_STAGES.items():
                rich.write(Path(folder) / name)
                shutil.copy(checkout / "__main__.py", Path(folder) / name)
                projects[name] = (Path(folder) / name, STAGE)
            results.append(_of_checkout(checkout, projects))
    one, other = results
    different = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    for key in different:
        print(key)
        for field in sorted(one[key]) if key in one and key in other else ():
            if one[key][field] != other[key][field]:
                print(f"  {field}: {one[key][field]} -> {other[key][field]}")
    print(f"{len(one)} resources, {len(different)} differences")
    return 1 if different else 0


def main(arguments: list[str]) -> int:
    """Compare two checkouts, or print what one project registers as JSON."""
    if arguments[0] == "--compare":
        return _compare([Path(checkout).resolve() for checkout in arguments[1:]])
    print(json.dumps([asdict(one) for one in record(Path(arguments[0]), arguments[1])]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
