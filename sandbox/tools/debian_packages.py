"""Debian's packages, unpacked into the cache: the machine's own packages stay as they are. apt verifies them."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from components.errors import UserError
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache

_SECONDS = 300


def unpacked_packages(name: str, packages: Sequence[str]) -> Path:
    """The folder with the files of packages, as the root of a file system has them.

    Args:
        name: What they are for: the folder in the cache.
        packages: Their names.

    Raises:
        UserError: they could not be downloaded.
    """
    target = cache() / "debian" / name / hashlib.sha256(" ".join(packages).encode()).hexdigest()[:16]
    with locked(cache() / "locks" / "debian", f"{name} is being unpacked"):
        if not target.is_dir():
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            downloads = partial / "downloads"
            downloads.mkdir(parents=True)
            _download(name, packages, downloads)
            for package in sorted(downloads.iterdir()):
                _run(["dpkg-deb", "--extract", str(package), str(partial)], partial)
            shutil.rmtree(downloads)
            partial.rename(target)
    return target


def libraries(folder: Path) -> list[Path]:
    """The folders of shared libraries among unpacked files."""
    return sorted(
        {path.parent for path in folder.rglob("*.so*")} | {path.parent for path in folder.rglob("*.a")}
    )


def _download(name: str, packages: Sequence[str], downloads: Path) -> None:
    command = ["apt-get", "-qq", "download", *packages]
    done = _run(command, downloads)
    if done is None and os.geteuid() == 0:
        # A new machine has no lists of packages.
        _run(["apt-get", "-qq", "update"], downloads)
        done = _run(command, downloads)
    if done is None:
        raise UserError(
            f"{name} is not installed, and its packages cannot be downloaded with apt-get",
            f"install {name} with the system's package manager; Debian's packages are {' '.join(packages)}",
        )


def _run(command: list[str], folder: Path) -> str | None:
    """What a command printed; None where it failed or is not there."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
