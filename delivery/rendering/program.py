"""Runs the real `__main__.py` without the Pulumi engine and records what it registers."""

import asyncio
import json
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.settings import reset_options
from pulumi.runtime.stack import run_pulumi_func

from components.errors import SettingsError, UserError
from components.files.yaml_document import read_document
from components.settings.stack import PROJECT
from delivery.rendering.program_failure import failure

KUBERNETES = "kubernetes:"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the program registered it; whole numbers are integers.

    `provider` is the URN of its explicit provider and an identifier; empty for the default one.
    """

    type: str
    name: str
    provider: str
    inputs: dict[str, Any]


class ProgramError(UserError):
    """The program refused to run or failed; the message is for the user."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason, fix)


class _Recorder(mocks.Mocks):
    def __init__(self) -> None:
        self.registered: list[Registered] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.registered.append(
            Registered(
                type=args.typ,
                name=args.name,
                provider=args.provider or "",
                inputs=plain(args.inputs),
            )
        )
        return f"{args.name}_id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


def record(project: Path, stage: str) -> list[Registered]:
    """Everything `__main__.py` of a project registers for a stage, ordered by type and name.

    Raises:
        ProgramError: there is no program, it refused its settings, or it failed or ended early by itself.
    """
    program = project / "__main__.py"
    if not program.is_file():
        raise ProgramError(f"{program} does not exist. Fix: name the project with --project DIR")
    recorder = _Recorder()
    try:
        with _event_loop() as loop, _modules_of(project):
            set_mocks(recorder, project=PROJECT, stack=stage, preview=True)
            set_all_config(_engine_config(project, stage))
            _run(loop, program, stage)
    finally:
        reset_options()
    return sorted(recorder.registered, key=lambda r: (r.type, r.name))


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


def _run(loop: asyncio.AbstractEventLoop, program: Path, stage: str) -> None:
    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    try:
        loop.run_until_complete(run_pulumi_func(run))
    except pulumi.RunError as error:
        raise ProgramError(str(error)) from None
    except (Exception, SystemExit) as error:
        raise ProgramError(failure(error, program.parent, stage)) from None


def _engine_config(project: Path, stage: str) -> dict[str, str]:
    """The stack file's config as the engine passes it: texts as they are, all else as JSON."""
    file = f"Pulumi.{stage}.yaml"
    try:
        config = read_document(project / file, file).data.get("config")
    except SettingsError:
        # The program reads the same file and reports what is wrong with it.
        return {}
    items = config.items() if isinstance(config, dict) else ()
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in items}


@contextmanager
def _modules_of(project: Path) -> Iterator[None]:
    """Lets `import components` in another checkout's program find that checkout's own package."""
    own = {name: m for name, m in sys.modules.items() if name.partition(".")[0] == "components"}
    here = Path(__file__).resolve().parents[2]
    if project.resolve() == here or not (project / "components").is_dir():
        yield
        return
    for name in own:
        del sys.modules[name]
    sys.path.insert(0, str(project))
    try:
        yield
    finally:
        sys.path.remove(str(project))
        for name in [n for n in sys.modules if n.partition(".")[0] == "components"]:
            del sys.modules[name]
        sys.modules.update(own)


def plain(value: Any) -> Any:  # noqa: ANN401
    """Any mapping as a dict and any sequence as a list, with whole numbers as integers.

    Protobuf carries every number as a float; Kubernetes' own are integers.
    """
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
