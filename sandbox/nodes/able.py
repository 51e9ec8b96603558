"""Whether this machine can run real nodes, found by trying: what may be forbidden differs between machines."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from components.errors import UserError
from sandbox.nodes import cgroups
from sandbox.tools.c_libraries import missing_compiler
from sandbox.tools.debian_packages import libraries, unpacked_packages

_SECONDS = 60
_PROGRAMS = ("unshare", "nsenter", "ip", "mount", "umount", "pivot_root")
_CONTROLLERS = frozenset({"cpu", "memory", "pids"})
_NFT_PACKAGES = (
    "nftables",
    "libnftables1",
    "libnftnl11",
    "libmnl0",
    "libjansson4",
    "libxtables12",
    "libedit2",
    "libbsd0",
    "libmd0",
    "libgmp10",
    "libtinfo6",
)
_NAMESPACES = ("unshare", "--net", "--mount", "--propagation=private", "--pid", "--fork", "--uts", "--")
_LINKS = "ip link add name br0 type bridge && ip link add name one0 master br0 type veth peer name two0"


def why_not(folder: Path) -> list[str]:
    """Why this machine cannot run real nodes, each with what to do; empty when it can.

    Args:
        folder: Where the nodes would keep their files; it need not exist.
    """
    if platform.system() != "Linux":
        return [f"this is {platform.system()}, and nodes need Linux: run it in a virtual machine with Linux"]
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return [f"{', '.join(missing)} is not installed: install util-linux and iproute2"]
    if not _works([*_NAMESPACES, "true"]):
        return ["namespaces cannot be created: run it as root, in a container with `--privileged`"]
    return [reason for check in _CHECKS for reason in check(folder)]


def nft_folder() -> Path | None:
    """Debian's nft, unpacked into the cache; None when the machine has one.

    Raises:
        UserError: it can be neither found nor unpacked.
    """
    return None if shutil.which("nft") else unpacked_packages("nftables", _NFT_PACKAGES)


def _links(_folder: Path) -> Iterator[str]:
    if not _works([*_NAMESPACES, "sh", "-c", _LINKS]):
        yield "the kernel has no bridges or no pairs of links: load its modules bridge and veth"


def _overlay(folder: Path) -> Iterator[str]:
    place = next(each for each in (folder, *folder.parents) if each.is_dir())
    with tempfile.TemporaryDirectory(dir=place, prefix=".overlay-") as name:
        for part in ("lower", "upper", "work", "merged"):
            (Path(name) / part).mkdir()
        options = f"lowerdir={name}/lower,upperdir={name}/upper,workdir={name}/work"
        if not _works([*_NAMESPACES, "mount", "-t", "overlay", "-o", options, "overlay", f"{name}/merged"]):
            yield f"overlayfs cannot be mounted below {place}: move the checkout to a disk with ext4 or xfs"


def _cgroups(_folder: Path) -> Iterator[str]:
    found: set[str] = set()
    for hierarchy in cgroups.hierarchies():
        listed = hierarchy / "cgroup.controllers"
        found |= set(
            listed.read_text(encoding="utf-8").split() if listed.is_file() else hierarchy.name.split(",")
        )
    probe = f"ml-deployments-probe-{os.getpid()}"
    try:
        cgroups.create(probe)
    except OSError as error:
        yield f"no cgroup can be created: {error}: run it as root, with cgroups that are writable"
    finally:
        cgroups.remove(probe)
    if lacking := sorted(_CONTROLLERS - found):
        yield f"the cgroup controllers {', '.join(lacking)} are missing: enable them in the kernel"


def _nftables(_folder: Path) -> Iterator[str]:
    try:
        folder = nft_folder()
    except UserError as error:
        yield f"{error.reason}: {error.fix}"
        return
    program = "nft" if folder is None else str(folder / "usr/sbin/nft")
    found = [] if folder is None else ["env", f"LD_LIBRARY_PATH={':'.join(map(str, libraries(folder)))}"]
    rules = "add table ip probe; add chain ip probe nat { type nat hook prerouting priority 0; }"
    if not _works([*_NAMESPACES, *found, program, rules]):
        yield "the kernel has no nftables with address translation: load its modules nf_tables and nf_nat"


def _compiler(_folder: Path) -> Iterator[str]:
    if missing := missing_compiler():
        yield f"{' and '.join(missing)} is not installed, which runc is built with: install it"


_CHECKS: tuple[Callable[[Path], Iterator[str]], ...] = (_links, _overlay, _cgroups, _nftables, _compiler)


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
