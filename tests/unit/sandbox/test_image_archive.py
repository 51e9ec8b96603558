"""A layer's bytes depend on what is in it and on nothing else."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from sandbox.images.archive import EPOCH, unpack, write_layer
from sandbox.images.trees import File, Folder, Link, Tree, tree_of

LONG = "/".join(["folder-with-a-name"] * 9) + "/file with ünusual characters"


def written(tree: Tree) -> bytes:
    buffer = io.BytesIO()
    digest, size = write_layer(tree, buffer)
    content = buffer.getvalue()
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert size == len(content)
    return content


def files(folder: Path, *, mask: int, time: int, order: int) -> Path:
    old = os.umask(mask)
    try:
        names = ["b/script", "a", "b/data", LONG]
        for name in names[::order]:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (time, time))
        (folder / "b" / "script").chmod(0o700 if mask else 0o775)
        (folder / "link").symlink_to("b/data")
    finally:
        os.umask(old)
    return folder


def test_the_same_files_elsewhere_and_at_another_time_are_the_same_layer(tmp_path: Path) -> None:
    one = files(tmp_path / "one", mask=0o077, time=1, order=1)
    other = files(tmp_path / "a longer name", mask=0, time=2_000_000_000, order=-1)
    assert written(tree_of(one, "app")) == written(tree_of(other, "app"))


def test_an_entry_has_no_owner_and_the_fixed_time(tmp_path: Path) -> None:
    tree = {**tree_of(files(tmp_path / "f", mask=0o077, time=1, order=1)), "tmp": Folder(0o1777)}
    with tarfile.open(fileobj=io.BytesIO(written(tree))) as archive:
        found = {info.name: info for info in archive}
    assert list(found) == sorted(found)
    assert {(info.uid, info.gid, info.uname, info.gname, info.mtime) for info in found.values()} == {
        (0, 0, "", "", EPOCH)
    }
    modes = {name: oct(found[name].mode) for name in ("a", "b", "b/script", "tmp", LONG)}
    assert modes == {"a": "0o644", "b": "0o755", "b/script": "0o755", "tmp": "0o1777", LONG: "0o644"}
    assert found["link"].linkname == "b/data"


def test_a_layer_can_be_unpacked_again(tmp_path: Path) -> None:
    tree: Tree = {
        "etc/passwd": File(b"root\n"),
        LONG: File(b"text"),
        "bin": Link("usr/bin"),
        "usr/bin": Folder(),
    }
    layer = tmp_path / "layer.tar"
    layer.write_bytes(written(tree))
    unpack(layer, tmp_path / "root")
    assert (tmp_path / "root" / "etc" / "passwd").read_text() == "root\n"
    assert (tmp_path / "root" / LONG).read_text() == "text"
    assert (tmp_path / "root" / "bin").is_dir()


@pytest.mark.parametrize(
    "changed", [{"a": File(b"2")}, {"a": File(b"1", 0o755)}, {"b": File(b"1")}, {"a": Link("1")}]
)
def test_a_layer_with_other_content_is_another_one(changed: Tree) -> None:
    assert written({"a": File(b"1")}) != written(changed)
