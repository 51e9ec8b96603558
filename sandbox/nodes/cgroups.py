"""The cgroups of the sandbox's nodes, the only thing of theirs that does not end with their processes."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from sandbox.machine.paths import SandboxPaths

_EMPTY_SECONDS = 10.0


def name_of(paths: SandboxPaths) -> str:
    """The cgroup of a sandbox, below the root of each hierarchy."""
    return f"ml-deployments-{hashlib.sha256(bytes(paths.checkout)).hexdigest()[:8]}"


def hierarchies(mounts: str | None = None) -> list[Path]:
    """Where cgroups are mounted: one folder for version 2, one for each controller for version 1.

    Args:
        mounts: The content of /proc/self/mountinfo.
    """
    lines = (
        Path("/proc/self/mountinfo").read_text(encoding="utf-8") if mounts is None else mounts
    ).splitlines()
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        if after.split(" ")[0] in {"cgroup", "cgroup2"}:
            found.append(Path(before.split(" ")[4]))
    return found


def create(name: str) -> None:
    """Create a cgroup in each hierarchy, with its controllers.

    Raises:
        OSError: this user may not, or in version 2 the cgroup above has processes of its own.
    """
    for hierarchy in hierarchies():
        folder = hierarchy
        for part in name.split("/"):
            _delegate(folder)
            folder /= part
            folder.mkdir(exist_ok=True)


def _delegate(folder: Path) -> None:
    """Give a cgroup's controllers to those below it, which only version 2 asks for."""
    listed = folder / "cgroup.controllers"
    names = listed.read_text(encoding="utf-8").split() if listed.is_file() else []
    if names:
        (folder / "cgroup.subtree_control").write_text(
            " ".join(f"+{name}" for name in names), encoding="utf-8"
        )


def remove(name: str) -> None:
    """Remove a cgroup and those below it from each hierarchy; their processes must have ended or be ending."""
    deadline = time.monotonic() + _EMPTY_SECONDS
    for hierarchy in hierarchies():
        top = hierarchy / name
        while top.is_dir():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
            if top.is_dir():
                if time.monotonic() > deadline:
                    break
                time.sleep(0.05)
