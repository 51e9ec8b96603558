"""Runs a project's `__main__.py` without the Pulumi engine, and records everything that it registers.

Usage: `python -m sandbox.harness.registrations PROJECT STAGE` prints it as JSON.
"""

import asyncio
import json
import runpy
import sys
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
    """What the engine gets for one resource; whole numbers are integers.

    Attributes:
        type: Its type token.
        name: Its logical name.
        parent: The URN of its parent, and `provider` that of its provider with an identifier; empty where it has none.
        inputs: Its inputs.
        dependencies: The URNs of the resources that it waits for, in order.
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

    The SDK's mocks create a loop in every thread that has none and never close it; the interpreter then prints a
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
    """The stack file's config as the engine passes it: texts as they are, everything else as JSON."""
    config = yaml.safe_load(file.read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in record(Path(sys.argv[1]), sys.argv[2])]))
