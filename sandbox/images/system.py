"""The layers that images share: users, certificates and a shell; and Python with the libraries that wheels need."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.errors import UserError
from sandbox.images.debian import debian_tree, pinned
from sandbox.images.layers import Recipe
from sandbox.images.oci import own_architecture
from sandbox.images.trees import File, Folder, Link, Node, tree_of

_BASE = ("base-files", "busybox-static", "ca-certificates", "media-types", "netbase")
_LIBRARIES = (
    *("libbz2-1.0", "libc6", "libcrypt1", "libexpat1", "libffi8", "libgcc-s1", "libgomp1", "liblzma5"),
    *("libncursesw6", "libreadline8", "libsqlite3-0", "libssl3", "libstdc++6", "libtinfo6", "libuuid1"),
    "zlib1g",
)
_PYTHON = ("libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal")
_PASSWD = """\
root:x:0:0:root:/root:/bin/sh
redis:x:999:999:redis:/data:/bin/sh
nonroot:x:65532:65532:nonroot:/home/nonroot:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
"""
_GROUP = "root:x:0:\nredis:x:999:\nnonroot:x:65532:\nnogroup:x:65534:\n"
# What `kubectl exec` and the program's own start scripts call.
_APPLETS = (
    *(
        "cat",
        "cut",
        "date",
        "df",
        "du",
        "env",
        "find",
        "free",
        "grep",
        "head",
        "hostname",
        "id",
        "kill",
        "ls",
    ),
    *(
        "mkdir",
        "nc",
        "nslookup",
        "printf",
        "ps",
        "rm",
        "sed",
        "sh",
        "sha256sum",
        "sleep",
        "sort",
        "stat",
        "tail",
    ),
    *("touch", "wc", "wget"),
)
_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARY_FOLDERS = ("usr/lib/x86_64-linux-gnu",)
# The same bytes on every processor: a calculation must not choose its instructions by it. The first two are of
# OpenBLAS and NumPy; the last is of the C library, whose exp() differs in its last digit where there is FMA.
REPRODUCIBLE = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F",
    "PYTHONHASHSEED": "0",
    "JOBLIB_MULTIPROCESSING": "0",
}
_RUN_SECONDS = 900


def base() -> Recipe:
    """Users, /tmp, the certificate authorities and a shell: enough for a program that is linked statically."""

    def build(_root: Path, _work: Path) -> dict[str, Node]:
        tree = debian_tree(_BASE)
        return {
            **tree,
            **{f"usr/bin/{applet}": Link("busybox") for applet in _APPLETS},
            "etc/passwd": File(_PASSWD.encode()),
            "etc/group": File(_GROUP.encode()),
            "etc/nsswitch.conf": File(b"hosts: files dns\n"),
            # As update-ca-certificates writes it.
            "etc/ssl/certs/ca-certificates.crt": File(_certificates(tree)),
            "home/nonroot": Folder(),
            "tmp": Folder(0o1777),
        }

    return Recipe("the base of the images", (*pinned(_BASE), own_architecture()), build)


def libraries() -> Recipe:
    """The base with the C library and what wheels link to."""

    def build(_root: Path, _work: Path) -> dict[str, Node]:
        return debian_tree(_LIBRARIES)

    return Recipe("the libraries of the images", pinned(_LIBRARIES), build, base())


def python() -> Recipe:
    """The libraries with Debian's Python, compiled: a read-only container could not keep what it compiles."""

    def build(root: Path, _work: Path) -> dict[str, Node]:
        own = debian_tree(_PYTHON)
        for path, node in own.items():
            _write(root / path, node)
        standard = root / "usr" / "lib" / "python3.11"
        compile_all(root, standard, at="usr/lib/python3.11")
        return {**own, "usr/bin/python3": Link("python3.11"), **tree_of(standard, "usr/lib/python3.11")}

    return Recipe("Python", pinned(_PYTHON), build, libraries(), runs=True)


def compile_all(root: Path, folder: Path, *, at: str) -> None:
    """Compile the modules below a folder with the image's own Python.

    The compiled files are not compared with their sources when they are imported, so they contain no time.

    Args:
        root: The unpacked image.
        folder: The modules.
        at: The path that they will have in the image.
    """
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", f"/{at}"]
    # Templates of code, which do not compile, are part of some packages.
    run_python(root, ["-m", "compileall", "-qq", *options, str(folder)], codes=(0, 1))


def run_python(
    root: Path,
    arguments: Sequence[str],
    *,
    modules: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
    codes: tuple[int, ...] = (0,),
) -> str:
    """Run the image's Python without entering the image: no root is needed. Returns what it printed.

    Args:
        root: The unpacked image.
        arguments: Those of Python.
        modules: The folders in which it searches for modules, besides its standard library.
        variables: Variables besides those that make it reproducible.
        folder: Its working directory.
        codes: The exit codes that are good.

    Raises:
        UserError: it failed.
    """
    if own_architecture() != "amd64":
        raise UserError(
            f"Images with Python are built on x86-64, and this machine is {own_architecture()}",
            "use simulated nodes, which need no images",
        )
    libraries = ":".join(str(root / each) for each in _LIBRARY_FOLDERS)
    # -S: a site would add the folders of this machine's own Python.
    command: list[str | Path] = [
        root / _LOADER,
        "--library-path",
        libraries,
        root / "usr/bin/python3.11",
        "-S",
        *arguments,
    ]
    environment = {
        "PYTHONHOME": str(root / "usr"),
        "PYTHONPATH": ":".join(map(str, modules)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
        **REPRODUCIBLE,
        **(variables or {}),
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    if done.returncode not in codes:
        raise UserError(
            "The Python of an image failed on this machine",
            "repair what it names; or use simulated nodes, which need no images",
            said=(done.stdout + done.stderr).strip()[-3000:],
        )
    return done.stdout


def _certificates(tree: Mapping[str, Node]) -> bytes:
    found = (
        node.content
        for path, node in sorted(tree.items())
        if path.startswith("usr/share/ca-certificates/") and isinstance(node, File)
    )
    return b"".join(content for content in found if isinstance(content, bytes))


def _write(path: Path, node: Node) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match node:
        case Folder():
            path.mkdir(exist_ok=True)
        case Link(target):
            path.unlink(missing_ok=True)
            path.symlink_to(target)
        case File(bytes() as content, mode):
            path.write_bytes(content)
            path.chmod(mode)
