"""`python -m tests.integration.attack.worker FIRST END FOLDER`: bad projects through the command line, in one process.

Writes a JSON line to standard output before each project, and one for each fault.
"""

import json
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from delivery.cli import app
from tests.support.bad_projects.files import OUTSIDE
from tests.support.bad_projects.project import STAGE, write_bad_project

# The kernel refuses more address space and ends an endless read.
MEMORY_BYTES, SECONDS = 1_500_000_000, 30
_SLOW_SECONDS = 10.0
_LONGEST_OUTPUT = 1_000_000
# Categories of Unicode: control, format, surrogate, private, unassigned, and separators of lines and paragraphs.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_GOOD_EXITS = (0, 1, 2)
# What a runner of GitHub, Azure Pipelines or TeamCity would take for a command.
_WORKFLOW_COMMAND = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


def commands(project: Path) -> Iterator[tuple[str, ...]]:
    """The arguments of each command, as a user would write them."""
    end = ("--project", str(project))
    yield ("check", *end)
    yield ("show", STAGE, *end)
    yield ("render", STAGE, "--output", str(project.parent / "rendered"), *end)
    yield ("policy", *end)


def faults(code: int, output: str) -> Iterator[str]:
    """What is wrong with how a command ended and what it printed."""
    if code not in _GOOD_EXITS:
        yield f"exit code {code}"
    if "Traceback (most recent call last)" in output:
        yield f"a traceback: {output[-500:]}"
    if OUTSIDE in output:
        yield "shows what is outside of the project"
    raw = sorted(
        {
            c
            for c in output
            if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        }
    )
    if raw:
        yield f"control or invisible characters: {raw!a}"
    if found := _WORKFLOW_COMMAND.search(output):
        yield f"a workflow command: {output[found.start() : found.end() + 60]!r}"
    if len(output) > _LONGEST_OUTPUT:
        yield f"{len(output)} characters of output"


def _in_process(arguments: tuple[str, ...], rendered: Path) -> Iterator[str]:
    before = time.process_time()
    result: Result = CliRunner().invoke(app, arguments)
    took = time.process_time() - before
    if took > _SLOW_SECONDS:
        yield f"{took:.1f} s"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        yield f"an exception: {''.join(traceback.format_exception(result.exception)[-3:])}"
    yield from faults(result.exit_code, result.output)
    for path in rendered.glob("*") if rendered.is_dir() else ():
        if OUTSIDE in path.read_text(encoding="utf-8"):
            yield f"{path.name} contains what is outside of the project"


def limit() -> None:
    """Bound the memory of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def remove(folder: Path) -> None:
    """Remove a project that may have folders without rights."""
    if folder.exists():
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                if not (path := Path(parent) / name).is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(folder)


def _say(**what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def main(first: int, end: int, folder: Path) -> None:
    """Put the projects of the seeds from `first` up to `end` through every command."""
    limit()
    for seed in range(first, end):
        here = folder / str(seed)
        remove(here)
        wrong = write_bad_project(seed, here / "project")
        _say(seed=seed, wrong=wrong)
        for arguments in commands(here / "project"):
            signal.alarm(SECONDS)
            for fault in _in_process(arguments, here / "rendered"):
                _say(seed=seed, command=arguments[0], wrong=wrong, fault=fault)
            signal.alarm(0)
        remove(here)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
