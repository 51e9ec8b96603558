"""Builds the pinned tools from their official Go modules, once for all checkouts.

Go verifies every module against the go.sum of its set. Its own caches keep what is downloaded and compiled, so an
interrupted build continues where it stopped.
"""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import UserError
from delivery.output import say
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache
from sandbox.tools import pins
from sandbox.tools.c_libraries import c_compiler
from sandbox.tools.go import go_binary
from sandbox.tools.progress import progress

_TAIL_LINES = 15


def built_tools(tools: pins.ToolSet) -> Path:
    """The folder of a set's tools in the cache, built if it does not exist.

    Raises:
        UserError: the build failed; running it again continues where it stopped.
    """
    target = cache() / "tools" / tools.name / tools.fingerprint()
    if target.is_dir():
        return target
    # Two builds at once would be no faster, and both would install Go.
    with locked(cache() / "locks" / "build", "tools are being built"):
        if target.is_dir():
            return target
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _build(_Go(tools, partial), tools, partial)
        partial.rename(target)
    return target


def operator_crds() -> Path:
    """The folder of the Prometheus operator's CRDs, one file each, as the pinned version has them.

    Raises:
        UserError: the operator is not built yet, and the build failed.
    """
    return built_tools(pins.OPERATOR) / "crds"


class _Go:
    """Go in the folder of a set's go.mod."""

    def __init__(self, tools: pins.ToolSet, output: Path) -> None:
        # One Go for all sets, since the build cache works for one version of Go only.
        self._go, self._folder = go_binary(max(each.go_minimum() for each in pins.SETS)), tools.folder
        self._environment = {
            **os.environ,
            "GOBIN": str(output),
            # A go.work in a folder above the checkout must not apply.
            "GOWORK": "off",
            "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
            **(c_compiler() if tools.tags else {"CGO_ENABLED": "0"}),
        }

    def __call__(self, *arguments: str, what: str, total: int | None = None) -> list[str]:
        return _run([self._go, *arguments], self._environment, self._folder, what, total)


def _build(go: _Go, tools: pins.ToolSet, output: Path) -> None:
    say(f"Building {tools.title} from source: about {tools.minutes} min on 2 cores, once.", err=True)
    total = len(go("list", "-deps", "tool", what="download of the modules"))
    flags = ["-ldflags", tools.version_flags(), *(["-tags", tools.tags] if tools.tags else [])]
    go("install", "-v", *flags, "tool", what="build", total=total)
    for tool, (_, binary) in tools.tools.items():
        if binary != tool:
            (output / binary).rename(output / tool)
    for name, (module, inside) in tools.copies.items():
        go("mod", "download", module, what=f"download of the {name}")
        *_, folder = go("list", "-m", "-f", "{{.Dir}}", module, what=f"lookup of the {name}")
        _copy(Path(folder) / inside, output / name)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder's files without their modes: Go keeps modules read-only, and the cache must be removable."""
    target.mkdir()
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)


def _run(
    command: list[str], environment: dict[str, str], folder: Path, what: str, total: int | None
) -> list[str]:
    """Run a Go command and show its progress; returns what it printed on standard output."""
    lines: list[str] = []
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with progress(what, total) as step:
        with _process(command, environment, folder) as process:
            assert process.stdout is not None
            for line in process.stdout:
                text = line.rstrip()
                tail.append(text)
                if not text.startswith("go: "):
                    lines.append(text)
                step(text.removeprefix("go: downloading "))
        if process.returncode != 0:
            raise UserError(
                f"The {what} failed",
                "see the lines above, then run the same command again; it continues where it stopped",
                said="\n".join(f"  {line}" for line in tail),
            )
    return lines


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise
