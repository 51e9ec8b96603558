"""The official Pulumi release: the CLI with its language hosts, verified by the release's checksums."""

import hashlib
import http.client
import platform
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from components.errors import UserError
from delivery.output import say
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache
from sandbox.tools import pins

RELEASES = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = "https://github.com/pulumi/pulumi/releases/download"
CONNECT_SECONDS = 5


def official_pulumi(releases: str = RELEASES, checksums: str = CHECKSUMS) -> Path | None:
    """The folder of the release's executables in the cache, downloaded if possible; else None.

    Raises:
        UserError: the download does not match the release's checksums.
    """
    version = pins.tool_version("pulumi")
    target = cache() / "pulumi" / version
    with locked(cache() / "locks" / f"pulumi-{version}", "the Pulumi release is being downloaded"):
        return target if target.is_dir() else _download(version, target, releases, checksums)


def _download(version: str, target: Path, releases: str, checksums: str) -> Path | None:
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x64")
    name = f"pulumi-{version}-{platform.system().lower()}-{machine}.tar.gz"
    plain = version.removeprefix("v")
    try:
        listed = _read(f"{checksums}/{version}/pulumi-{plain}-checksums.txt").decode()
        archive = _read(f"{releases}/{name}")
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        say(f"The official Pulumi release cannot be downloaded ({reason}); building it instead.", err=True)
        return None
    _verify(name, archive, listed)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        path = Path(folder) / name
        path.write_bytes(archive)
        with tarfile.open(path) as tar:
            tar.extractall(folder, filter="data")
        shutil.move(Path(folder) / "pulumi", target)
    return target


def _verify(name: str, archive: bytes, listed: str) -> None:
    rows = (line.split() for line in listed.splitlines() if line.strip())
    wanted = {row[-1].lstrip("*"): row[0] for row in rows}
    actual = hashlib.sha256(archive).hexdigest()
    if wanted.get(name) != actual:
        raise UserError(
            f"The checksum of {name} is wrong: {actual}, but the release says {wanted.get(name, 'nothing')}. "
            "Nothing was installed",
            "try again; if it stays, do not trust the download",
        )


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as response:
        data: bytes = response.read()
    return data
