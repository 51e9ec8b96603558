"""What can be wrong with the files of a project, whatever is in them: links, devices, encodings, sizes and names."""

import contextlib
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.support.bad_projects.odd import NAMES

Wrong = Callable[[Random, Path], object]
# What the file outside the project contains, which is never shown or rendered.
OUTSIDE = "what-is-outside-of-the-project"


def outside(project: Path) -> Path:
    """A file next to the project, in the languages of all the files that a project has."""
    file = project.parent / "outside.yaml"
    file.write_text(f"owner: {OUTSIDE}\nimage: {OUTSIDE}\n# {OUTSIDE}\n")
    return file


def _file(rng: Random, project: Path) -> Path:
    """One of the project's files."""
    found = [path for path in sorted(project.rglob("*")) if path.is_file() and "components" not in path.parts]
    return rng.choice(found) if found else project / "models" / "a.yaml"


def _place(rng: Random, project: Path) -> Path:
    """The path of a file that is there, or of one more."""
    more = ("models/z.yaml", "features/z.py", "Pulumi.z.yaml", "Pulumi.yaml", "gitops/settings.yaml")
    path = _file(rng, project) if rng.random() < 0.7 else project / rng.choice(more)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _emptied(rng: Random, project: Path) -> Path:
    path = _place(rng, project)
    path.unlink(missing_ok=True)
    return path


def _link_out(rng: Random, project: Path) -> None:
    target = outside(project)
    path = _emptied(rng, project)
    path.symlink_to(target if rng.random() < 0.5 else os.path.relpath(target, path.parent))


def _linked_folder(rng: Random, project: Path) -> None:
    folder = project.parent / "outside"
    folder.mkdir()
    for name in ("a.yaml", "views.py", "settings.yaml"):
        shutil.copy(outside(project), folder / name)
    path = project / rng.choice(("models", "features", "gitops", "features/more", "models/more"))
    if path.exists():
        path.rename(project.parent / "moved")
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(rng.choice((folder, project, Path("/proc/self"), path)))


def _strange_link(rng: Random, project: Path) -> None:
    path = _emptied(rng, project)
    targets = (
        "nowhere",
        path.name,
        "/dev/zero",
        "/dev/stdin",
        "/dev/tty",
        "/proc/self/mem",
        "/proc/kmsg",
        ".",
        "/",
        "..",
    )
    path.symlink_to(rng.choice(targets))


def _git_configuration(rng: Random, project: Path) -> None:
    (project / ".git").mkdir(exist_ok=True)
    (project / ".git" / "config").write_text(f"owner: {OUTSIDE}\n# {OUTSIDE}\n")
    path = _emptied(rng, project)
    path.symlink_to(os.path.relpath(project / ".git" / "config", path.parent))


def _special(rng: Random, project: Path) -> None:
    path = _emptied(rng, project)
    match rng.randrange(3):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case _:
            # The path of a socket is short.
            with socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
                server.bind(os.path.relpath(path))


def _unreadable(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    (path if rng.random() < 0.7 else path.parent).chmod(0)


def _large(rng: Random, project: Path) -> None:
    path = _place(rng, project)
    match rng.randrange(4):
        case 0:
            with path.open("ab") as file:
                file.truncate(rng.choice((2_000_000, 5_000_000_000)))
        case 1:
            path.write_text("a: b\n" * rng.choice((5_000, 400_000)))
        case 2:
            path.write_text(f"owner: {'x' * rng.choice((500_000, 3_000_000))}\n")
        case _:
            path.write_text(
                "".join(
                    f"k{number}: {number}\n" for number in range(rng.choice((3_000, 3_000, 3_000, 60_000)))
                )
            )


def _bytes(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    content = bytearray(path.read_bytes() or b"a")
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(content))
        content[at : at + rng.randrange(3)] = rng.randbytes(rng.randint(1, 4))
    path.write_bytes(content)


def _encoded(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    text = path.read_bytes().decode("utf-8", "replace")
    encodings = ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037")
    path.write_bytes(text.encode(rng.choice(encodings), "replace"))


def _line_ends(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    end = rng.choice((b"\r", b"\r\n", b"\n\r", b"\x85", "\u2028".encode(), b"\0", b"\n\n\n"))
    path.write_bytes(path.read_bytes().replace(b"\n", end))


def _cut(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) + 1)])


def _replaced(rng: Random, project: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12\n"
    contents = (
        b"",
        b"\n",
        b"---\n",
        b"...\n",
        b"[]\n",
        b"null\n",
        b"\xef\xbb\xbf",
        b"\0" * 100,
        b"%YAML 9.9\n---\na: b\n",
    )
    _file(rng, project).write_bytes(rng.choice((*contents, pointer, b"a: b\n---\na: b\n", b"<<<<<<< HEAD\n")))


def _renamed(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    name = rng.choice(NAMES)
    with contextlib.suppress(OSError, ValueError):
        path.rename(path.with_name(f"{name}{rng.choice(('', path.suffix))}"))


def _named_in_bytes(rng: Random, project: Path) -> None:
    folder = os.fsencode(project / rng.choice(("models", "features", ".")))
    with contextlib.suppress(OSError):
        shutil.copy(
            os.fsencode(_file(rng, project)),
            folder + b"/" + rng.choice((b"\xff.yaml", b"\xc3.py", b"Pulumi.\xfe.yaml")),
        )


def _copied(rng: Random, project: Path) -> None:
    path = _file(rng, project)
    names = (
        f"{path.stem}.yml",
        f"{path.stem}.YAML",
        f"{path.stem}.json",
        f".{path.name}",
        f"{path.name}~",
        f"sub/{path.name}",
    )
    copy = path.parent / rng.choice(names)
    with contextlib.suppress(OSError):
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)


def _many(rng: Random, project: Path) -> None:
    folder = project / rng.choice(("models", "features"))
    folder.mkdir(exist_ok=True)
    # Most trees have few, since each takes time.
    number = 12_000 if rng.random() < 0.05 else rng.randint(50, 200)
    for at in range(number):
        (folder / f"m{at}{'.py' if folder.name == 'features' else '.yaml'}").write_text("")


def _deep(rng: Random, project: Path) -> None:
    folder = project / rng.choice(("models", "features", "gitops"))
    with contextlib.suppress(OSError):
        inside = folder / "/".join("d" for _ in range(rng.choice((60, 900))))
        inside.mkdir(parents=True)
        (inside / "x.py").write_text("")
        (inside / "x.yaml").write_text("")


def _missing(rng: Random, project: Path) -> None:
    path = project / rng.choice(("models", "features", "Pulumi.test.yaml", "models/a.yaml", "__main__.py"))
    if path.is_dir():
        shutil.rmtree(path)
        if rng.random() < 0.5:
            path.write_text("a file")
    else:
        path.unlink(missing_ok=True)


FILES: tuple[Wrong, ...] = (
    _link_out,
    _linked_folder,
    _strange_link,
    _git_configuration,
    _special,
    _unreadable,
    _large,
    _bytes,
    _bytes,
    _encoded,
    _line_ends,
    _cut,
    _replaced,
    _renamed,
    _named_in_bytes,
    _copied,
    _many,
    _deep,
    _missing,
)
