"""The C compiler and library that runc needs: it enters namespaces in C, and compiles filters of system calls."""

import os
import shutil
import subprocess

from components.errors import UserError
from sandbox.tools.debian_packages import libraries, unpacked_packages

_LIBRARY = "libseccomp"
_PACKAGE = "libseccomp-dev"


def missing_compiler() -> list[str]:
    """The programs that building with C needs and this machine lacks."""
    return [name for name in ("gcc", "pkg-config") if shutil.which(name) is None]


def c_compiler() -> dict[str, str]:
    """The variables with which Go finds them: the machine's library, else Debian's in the cache, linked statically.

    Raises:
        UserError: there is no compiler, or the library can be neither found nor unpacked.
    """
    if missing := missing_compiler():
        raise UserError(f"{' and '.join(missing)} is not installed", "install gcc and pkg-config")
    found = {"CGO_ENABLED": "1"}
    if subprocess.run(["pkg-config", "--exists", _LIBRARY], check=False, timeout=30).returncode == 0:
        return found
    folder = unpacked_packages(_LIBRARY, [_PACKAGE])
    for link in folder.rglob("libseccomp.so"):
        # It names a file of another package; without it the linker takes the archive.
        link.unlink()
    places = [str(place / "pkgconfig") for place in libraries(folder)]
    return {**found, "PKG_CONFIG_PATH": os.pathsep.join(places), "PKG_CONFIG_SYSROOT_DIR": str(folder)}
