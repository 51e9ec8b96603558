"""A tree as the bytes of a layer: the same tree has the same bytes.

Entries are sorted, belong to root and have one fixed time. The archive is not compressed: what a compressor makes of
the same bytes depends on its library and version, and on loopback compression only costs time.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO, cast

from sandbox.images.trees import File, Folder, Link, Node, Tree

# 2026-01-01T00:00:00Z, as SOURCE_DATE_EPOCH would give it.
EPOCH = 1_767_225_600
CREATED = "2026-01-01T00:00:00Z"


class _Hashed:
    """A file that is written, and the checksum and the size of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sum, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._sum.update(data)
        self.size += len(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._sum.hexdigest()}"


def write_layer(tree: Tree, file: IO[bytes]) -> tuple[str, int]:
    """Write the archive; returns its digest and its size. A file's content is never in memory as a whole."""
    output = _Hashed(file)
    # A stream: nothing is read back, so the sum is complete when the archive is.
    with tarfile.open(fileobj=cast("IO[bytes]", output), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path, node in sorted(_with_parents(tree).items()):
            _add(archive, path, node)
    return output.digest, output.size


def unpack(layer: Path, folder: Path) -> None:
    """Put a layer's files into a folder, as the user who runs this."""
    with tarfile.open(layer) as archive:
        archive.extractall(folder, filter="tar")


def _with_parents(tree: Tree) -> dict[str, Node]:
    parents: Iterable[PurePosixPath] = (parent for path in tree for parent in PurePosixPath(path).parents)
    return {**{str(parent): Folder() for parent in parents if parent.name}, **tree}


def _add(archive: tarfile.TarFile, path: str, node: Node) -> None:
    info = tarfile.TarInfo(path)
    info.mtime = EPOCH
    match node:
        case Folder(mode):
            info.type, info.mode = tarfile.DIRTYPE, mode
            archive.addfile(info)
        case Link(target):
            info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, target
            archive.addfile(info)
        case File(bytes() as content, mode):
            info.mode, info.size = mode, len(content)
            archive.addfile(info, io.BytesIO(content))
        case File(Path() as source, mode):
            info.mode, info.size = mode, source.stat().st_size
            with source.open("rb") as file:
                archive.addfile(info, file)
