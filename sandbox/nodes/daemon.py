"""A process that outlives the command that started it: known by a file with its PID and a folder in its command."""

import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from components.errors import UserError
from sandbox.machine.processes import end, recorded

_START_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_TAIL = 2000


class Daemon:
    """A process of the sandbox.

    Attributes:
        name: What it is, as `status` shows it.
        log: What it printed.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self._pid_file = folder / f"{name}.pid"
        self.log = folder / f"{name}.log"

    @property
    def pid(self) -> int | None:
        """The process; None when it does not run."""
        return recorded(self._pid_file, str(self._folder))

    def start(
        self, command: Sequence[str | Path], *, sockets: Iterable[int] = (), folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start it; its command must name the folder. Its standard input is a pipe.

        Args:
            command: The process.
            sockets: File descriptors that it inherits.
            folder: Its working directory.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=tuple(sockets),
                cwd=folder,
                start_new_session=True,
            )
        self.record(process.pid)
        return process

    def record(self, pid: int) -> None:
        """Remember another process as this one."""
        self._pid_file.write_text(str(pid), encoding="utf-8")

    def wait(self, process: subprocess.Popen[bytes], serves: Callable[[], bool]) -> None:
        """Wait until it serves; it is stopped where it does not.

        Args:
            process: What `start` returned: while it replaces itself by another program, it has no command.
            serves: True when it does.

        Raises:
            UserError: it ended, or does not serve in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not serves():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = self.log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
                raise UserError(
                    f"{self.name} did not start",
                    f"see {self.log}, then run `python -m sandbox up` again",
                    said=said,
                )
            time.sleep(_PAUSE_SECONDS)

    def stop(self) -> None:
        """End it."""
        pid = self.pid
        if pid is not None:
            end([pid], str(self._folder))
        self._pid_file.unlink(missing_ok=True)
