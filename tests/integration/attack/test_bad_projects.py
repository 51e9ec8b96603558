"""10,000 generated bad projects through `check`, `show`, `render` and `policy`.

Each ends with an exit code and a message: no traceback, no signal, no raw control character, nothing from outside of
the project, within the limits of memory and time of the worker.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.attack import worker
from tests.support.bad_projects.project import write_bad_project
from tests.support.projects import CHECKOUT

PROJECTS = int(os.environ.get("BAD_PROJECTS", "10000"))
# A process runs this many, so that memory which one project leaves behind is not that of the others.
_BATCH = 250
# These also run as a user's own process, four commands each.
_REAL = 25
_WORKERS = 2
Fault = dict[str, Any]


def attacked(first: int, end: int, folder: Path) -> Iterator[Fault]:
    """What the projects of the seeds from `first` up to `end` found; a worker that a signal ended is one more fault."""
    while first < end:
        done = subprocess.run(
            [sys.executable, "-m", worker.__name__, str(first), str(end), str(folder)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        yield from (one for one in said if "fault" in one)
        if done.returncode == 0:
            return
        last = said[-1]["seed"] if said else first
        wrong = said[-1].get("wrong", []) if said else []
        yield {
            "seed": last,
            "wrong": wrong,
            "fault": f"the worker ended with {done.returncode}: {done.stderr[-500:]}",
        }
        first = last + 1


@pytest.mark.soak
def test_bad_projects_end_with_a_message(tmp_path: Path) -> None:
    starts = range(0, PROJECTS, _BATCH)
    with ThreadPoolExecutor(_WORKERS) as pool:
        batches = pool.map(
            lambda first: list(attacked(first, min(first + _BATCH, PROJECTS), tmp_path)), starts
        )
        found = [fault for batch in batches for fault in batch]
    assert not found, "\n".join(map(json.dumps, found))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(PROJECTS, PROJECTS + _REAL))
def test_bad_projects_end_with_a_message_in_a_real_process(tmp_path: Path, seed: int) -> None:
    wrong = write_bad_project(seed, tmp_path / "project")
    for arguments in worker.commands(tmp_path / "project"):
        done = subprocess.run(
            [sys.executable, "-m", "delivery", *arguments],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            preexec_fn=worker.limit,
            timeout=worker.SECONDS,
            check=False,
        )
        found = list(worker.faults(done.returncode, done.stdout + done.stderr))
        assert not found, (arguments, wrong, found)
    worker.remove(tmp_path / "project")
