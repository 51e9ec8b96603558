"""Files of Debian packages, pinned by their checksums, as layers.

Why Debian's packages: a wheel with the interpreter exists on no index that is official, and even then the wheels need
glibc, which comes with a distribution only. Why not debootstrap or apt: they run what packages bring, as root, and what
apt chooses changes by the day. A package is an archive, so it is only unpacked; nothing of it is run, and any Linux can
do it. Only the packages whose files are used are listed, so there is no dpkg in the image.

The packages are those of Debian 12's last point release, not of its security updates: a mirror keeps them for years.
They are for the sandbox: build what leaves this machine from a maintained image, as the example's Dockerfile does.
"""

import io
import os
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from components.errors import UserError
from sandbox.images.trees import File, Folder, Link, Node
from sandbox.machine.paths import cache

LOCK = Path(__file__).with_name("debian-packages.txt")
MIRROR = "DEBIAN_MIRROR"
_SECONDS = 60
# The largest pinned package has 3 MB.
_MOST_BYTES = 32 * 2**20
_HEADER = 60
_MAGIC = b"!<arch>\n"
# Since Debian 12 these are links into /usr; the packages still use both spellings.
_MERGED = ("bin", "lib", "lib64", "sbin")
_UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/lintian", "usr/share/locale", "usr/share/info")


def debian_tree(names: Sequence[str]) -> dict[str, Node]:
    """The files of packages, at the places where a merged /usr has them, without documentation.

    Raises:
        UserError: a package cannot be downloaded, or is not the one that is pinned.
    """
    found: dict[str, Node] = {}
    for name in names:
        found |= dict(_files(package(name).read_bytes()))
    return found | {name: Link(f"usr/{name}") for name in _MERGED}


def pinned(names: Sequence[str]) -> tuple[str, ...]:
    """What decides the content of `debian_tree`: the checksums of the packages."""
    locked = _locked()
    return tuple(locked[name][0] for name in names)


def package(name: str) -> Path:
    """A package in the cache, downloaded if it is not there.

    Raises:
        UserError: it cannot be downloaded from any mirror, or it is not the one that is pinned.
    """
    checksum, path = _locked()[name]
    target = cache() / "images" / "debian" / PurePosixPath(path).name
    if target.is_file() and sha256(target.read_bytes()).hexdigest() == checksum:
        return target
    content = _download(path)
    actual = sha256(content).hexdigest()
    if actual != checksum:
        raise UserError(
            f"The package {target.name} has the checksum {actual}, and {LOCK.name} says {checksum}. "
            "Nothing was built from it",
            f"set {MIRROR} to another mirror of Debian; if it stays, do not trust the download",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.rename(target)
    return target


def _locked() -> dict[str, tuple[str, str]]:
    """The checksum of each package and its path on a mirror, by its name."""
    rows = (line.split() for line in LOCK.read_text(encoding="utf-8").splitlines())
    return {PurePosixPath(path).name.partition("_")[0]: (checksum, path) for checksum, path in rows}


def _download(path: str) -> bytes:
    said = []
    for mirror in _mirrors():
        try:
            with urllib.request.urlopen(f"{mirror.rstrip('/')}/{path}", timeout=_SECONDS) as answer:
                content: bytes = answer.read(_MOST_BYTES)
        except (urllib.error.URLError, OSError, ValueError) as error:
            said.append(f"  {error}")
        else:
            return content
    where = (
        "the machine's sources of packages"
        if said
        else f"any mirror: {MIRROR} is not set, and apt names none"
    )
    raise UserError(
        f"{PurePosixPath(path).name}, a package of Debian 12 that images are built from, cannot be had from {where}",
        f"set {MIRROR} to the address of a mirror of Debian, or of a snapshot of it; "
        "or use simulated nodes, which need no images",
        said="\n".join(said),
    )


def _mirrors() -> list[str]:
    """The mirror that the user names, else those that apt uses on this machine."""
    if chosen := os.environ.get(MIRROR):
        return [chosen]
    try:
        done = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [uri for uri in dict.fromkeys(done.stdout.split()) if uri.startswith(("http://", "https://"))]


def _files(content: bytes) -> Iterator[tuple[str, Node]]:
    with tarfile.open(fileobj=io.BytesIO(_member(content, "data.tar")), mode="r:*") as archive:
        for info in archive:
            path = _place(info.name)
            if not path or path.startswith(_UNUSED):
                continue
            if info.isdir():
                yield path, Folder(info.mode & 0o1777)
            elif info.issym():
                # A link to a path from the root would leave a folder that the layer is unpacked into.
                yield path, Link(_relative(info.linkname, path))
            else:
                # A hard link is the file that it names.
                file = archive.extractfile(info)
                assert file is not None
                # No image has programs that run as another user than the one who starts them.
                yield path, File(file.read(), info.mode & 0o777)


def _relative(target: str, path: str) -> str:
    return os.path.relpath(target, f"/{path}/..") if target.startswith("/") else target


def _place(name: str) -> str:
    path = PurePosixPath(name.removeprefix("."))
    place = str(path.relative_to("/")) if path.is_absolute() else str(path)
    if place in {".", *_MERGED}:
        return ""
    return f"usr/{place}" if place.partition("/")[0] in _MERGED else place


def _member(content: bytes, name: str) -> bytes:
    """A member of a package, which is an archive as `ar` makes it: a line of 60 bytes before each."""
    if not content.startswith(_MAGIC):
        raise ValueError("is not a Debian package")
    at = len(_MAGIC)
    while at < len(content):
        header = content[at : at + _HEADER]
        size = int(header[48:58])
        if header[:16].decode().strip().startswith(name):
            return content[at + _HEADER : at + _HEADER + size]
        at += _HEADER + size + size % 2
    raise ValueError(f"has no {name}")
