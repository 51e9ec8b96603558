"""Peers that are built once from their Go modules."""

import os
import shutil
import subprocess
from pathlib import Path

from sandbox.machine.lock import locked
from sandbox.machine.paths import cache


def go_tool(name: str, version: str, what: str, folder: Path | None = None) -> Path:
    """An executable: the one on PATH, else built into the cache.

    Args:
        name: The executable's name.
        version: The version that is built.
        what: The argument of `go install`.
        folder: Where it runs: the folder of a go.mod that pins the tool; None to install it without one.
    """
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    output = cache() / name / version
    with locked(cache() / "locks" / name, f"{name} is being built"):
        if not (output / name).is_file():
            subprocess.run(
                ["go", "install", what],
                cwd=folder,
                env={**os.environ, "GOBIN": str(output), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"},
                timeout=1200,
                check=True,
            )
    return output / name
