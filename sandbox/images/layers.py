"""Layers by their recipes, each built once for all checkouts: the same recipe again is only looked up in the cache."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from delivery.output import say
from sandbox.images.archive import unpack, write_layer
from sandbox.images.oci import Layer
from sandbox.images.trees import Tree
from sandbox.machine.lock import locked
from sandbox.machine.paths import cache

# These say which images there are and where they go, and nothing of what is in a layer.
_NOT_IN_A_LAYER = ("oci.py", "push.py", "wanted.py")
# As it is when it runs, whatever is edited meanwhile.
_CODE = tuple(
    path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if path.name not in _NOT_IN_A_LAYER
)
Build = Callable[[Path, Path], Tree]
"""Makes a layer's tree from the folder with the layers below it, unpacked, and an empty one for its own files."""


@dataclass(frozen=True)
class Recipe:
    """A layer that can be built.

    Attributes:
        title: What it contains, for the user.
        inputs: What decides its content, besides the code of this package: versions, checksums, texts.
        build: Makes it.
        below: The layer under it.
        runs: Whether the build uses the files of the layers below.
    """

    title: str
    inputs: tuple[str, ...]
    build: Build
    below: "Recipe | None" = None
    runs: bool = False

    @property
    def layers(self) -> tuple["Recipe", ...]:
        """This one and those below it, the lowest first."""
        return (*(self.below.layers if self.below is not None else ()), self)

    def key(self) -> str:
        """64 hexadecimal digits that change with whatever decides the content."""
        digest = sha256()
        for part in (self.title, *self.inputs, *(recipe.key() for recipe in self._uses()), *_CODE):
            digest.update(f"{len(part)}:{part}".encode())
        return digest.hexdigest()

    def built(self) -> Layer:
        """The layer in the cache, built if it is not there.

        Raises:
            UserError: it cannot be built on this machine.
        """
        lower = tuple(below.built().file for below in self._uses())
        folder = cache() / "images"
        record = folder / "recipes" / f"{self.key()}.json"
        with locked(cache() / "locks" / "images", "images are being built"):
            if not record.is_file():
                say(f"Building {self.title}.", err=True)
                self._write(folder, record, lower)
            found = json.loads(record.read_text(encoding="utf-8"))
        return Layer(found["digest"], found["size"], _blob(folder, found["digest"]))

    def _uses(self) -> "tuple[Recipe, ...]":
        return self.below.layers if self.runs and self.below is not None else ()

    def _write(self, folder: Path, record: Path, lower: tuple[Path, ...]) -> None:
        partial = folder / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        root, work = partial / "root", partial / "work"
        for each in (root, work, record.parent):
            each.mkdir(parents=True, exist_ok=True)
        for layer in lower:
            unpack(layer, root)
        with (partial / "layer").open("wb") as output:
            digest, size = write_layer(self.build(root, work), output)
        blob = _blob(folder, digest)
        blob.parent.mkdir(parents=True, exist_ok=True)
        (partial / "layer").rename(blob)
        # The record is last: a build that was killed left none.
        (partial / "record").write_text(json.dumps({"digest": digest, "size": size}), encoding="utf-8")
        (partial / "record").rename(record)
        shutil.rmtree(partial)


def _blob(folder: Path, digest: str) -> Path:
    return folder / "blobs" / digest.removeprefix("sha256:")
