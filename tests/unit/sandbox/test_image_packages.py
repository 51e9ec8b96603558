"""Debian's packages: pinned, downloaded once, and only unpacked."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.errors import UserError
from sandbox.harness.loopback import LoopbackServer, QuietHandler
from sandbox.images import debian
from sandbox.images.trees import File, Folder, Link, Node

PATH = "pool/main/t/tool/tool_1.0-1_amd64.deb"


def package() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for name in (".", "./bin", "./usr/share/doc", "./usr/bin"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, mode in (
            ("./bin/tool", 0o4755),
            ("./usr/share/doc/readme", 0o644),
            ("./etc/tool.conf", 0o644),
        ):
            info = tarfile.TarInfo(name)
            info.mode, info.size = mode, 4
            archive.addfile(info, io.BytesIO(b"text"))
        info = tarfile.TarInfo("./usr/lib64/tool")
        info.type, info.linkname = tarfile.SYMTYPE, "/bin/tool"
        archive.addfile(info)
    members = (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), ("data.tar.xz", data.getvalue()))
    found = b"!<arch>\n"
    for name, content in members:
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        found += header.encode() + content + b"\n" * (len(content) % 2)
    return found


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths that a mirror with one package was asked for."""
    paths = []

    class Mirror(QuietHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            found = self.path == f"/debian/{PATH}"
            self.answer(package() if found else b"", 200 if found else 404)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(debian, "LOCK", tmp_path / "debian-packages.txt")
    lock(hashlib.sha256(package()).hexdigest(), PATH)
    with LoopbackServer(Mirror) as server:
        monkeypatch.setenv(debian.MIRROR, f"{server.address}/debian/")
        yield paths


def lock(checksum: str, path: str) -> None:
    debian.LOCK.write_text(f"{checksum}  {path}\n")


def test_the_files_of_a_package_are_where_a_merged_usr_has_them(asked: list[str]) -> None:
    expected: dict[str, Node] = {
        "usr/bin": Folder(),
        "usr/bin/tool": File(b"text", 0o755),
        "etc/tool.conf": File(b"text"),
        "usr/lib64/tool": Link("../../bin/tool"),
        "bin": Link("usr/bin"),
        "lib": Link("usr/lib"),
        "lib64": Link("usr/lib64"),
        "sbin": Link("usr/sbin"),
    }
    assert debian.debian_tree(["tool"]) == expected
    assert debian.debian_tree(["tool"]) == expected
    assert asked == [f"/debian/{PATH}"]


def test_another_package_than_the_pinned_one_is_refused(asked: list[str]) -> None:
    lock("0" * 64, PATH)
    for _ in range(2):
        with pytest.raises(
            UserError, match=r"tool_1.0-1_amd64.deb has the checksum .* Nothing was built from it"
        ):
            debian.debian_tree(["tool"])
    assert len(asked) == 2


def test_a_package_that_no_mirror_has_is_named_with_what_to_do(asked: list[str]) -> None:
    lock("0" * 64, "pool/main/o/other/other_2_all.deb")
    with pytest.raises(UserError) as found:
        debian.debian_tree(["other"])
    assert "other_2_all.deb, a package of Debian 12" in str(found.value)
    assert "set DEBIAN_MIRROR" in str(found.value)
    assert "404" in str(found.value)
    assert len(asked) == 1


def test_every_package_that_an_image_uses_is_pinned() -> None:
    for line in debian.LOCK.read_text().splitlines():
        checksum, path = line.split()
        assert len(checksum) == 64
        # Security updates leave the mirrors when the next one comes.
        assert path.startswith("pool/main/")
        assert path.endswith((".deb",))
