"""Reads what is in a checkout and nothing else: links out of it, devices and endless files are refused, not followed.

A pull request chooses the files, and what they lead to may be the secrets of the machine that reads them.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from components.errors import Problem, SettingsError

# No object of Kubernetes is larger than a request to etcd: https://etcd.io/docs/v3.6/dev-guide/limit/
LARGEST_BYTES = 1_572_864
# Of the files in one folder.
LARGEST_FOLDER_BYTES = 50_000_000
MOST_ENTRIES, DEEPEST_FOLDER = 10_000, 50
_GIT = ".git"
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def checkout_of(folder: Path) -> Path:
    """The checkout that a project is in, without links: the folder above it that git manages, or the project's own."""
    real = Path(os.path.realpath(folder))
    return next((above for above in (real, *real.parents) if (above / _GIT).exists()), real)


def leads_out(end: Path, checkout: Path) -> bool:
    """True for a path without links that is outside of a checkout, or in the part of it that belongs to git."""
    return not end.is_relative_to(checkout) or _GIT in end.relative_to(checkout).parts


def read_file(folder: Path, path: str, checkout: Path) -> bytes:
    """The content of a file.

    Args:
        folder: The project.
        path: The file inside the project.
        checkout: As `checkout_of` returns it.

    Raises:
        SettingsError: there is no such file, it is not a file of the checkout, cannot be read, or is too large.
    """
    try:
        real = _inside(folder, path, checkout)
        _refuse_kind(path, real)
        # Without waiting, should it become a pipe meanwhile.
        with open(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            content = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        if (folder / path).is_symlink():
            raise _refused(path, "is a symbolic link to what does not exist", "remove the link") from None
        raise _refused(path, "the file does not exist", "create it") from None
    except OSError as error:
        raise _refused(path, f"the file cannot be read ({error.strerror})", "make it readable") from None
    if len(content) > LARGEST_BYTES:
        reason = f"the file has more than {LARGEST_BYTES} bytes"
        raise _refused(path, reason, "remove what does not belong there, or divide it")
    return content


def paths_below(folder: Path, name: str, checkout: Path, *, deep: bool) -> list[str]:
    """Everything in a folder of a project by its path inside the project; nothing where there is no such folder.

    Args:
        folder: The project.
        name: The folder inside it.
        checkout: As `checkout_of` returns it.
        deep: Also what is in its folders, except for hidden and linked ones.

    Raises:
        SettingsError: it is not a folder of the checkout, cannot be read, or contains too much.
    """
    found: list[str] = []
    size = 0
    for path, entry in _entries(folder, name, checkout, deep=deep):
        found.append(path)
        size += entry.stat(follow_symlinks=False).st_size
        if len(found) > MOST_ENTRIES:
            raise _refused(name, f"has more than {MOST_ENTRIES} files", "remove what does not belong there")
        if size > LARGEST_FOLDER_BYTES:
            reason = f"its files have more than {LARGEST_FOLDER_BYTES} bytes together"
            raise _refused(name, reason, "remove what does not belong there")
    return sorted(found)


def _entries(
    folder: Path, name: str, checkout: Path, *, deep: bool
) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    waiting = [name]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(_inside(folder, here, checkout)) as entries:
                for entry in entries:
                    path = f"{here}/{entry.name}"
                    yield path, entry
                    if deep and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        waiting.append(path)
        except FileNotFoundError:
            if (folder / here).is_symlink():
                raise _refused(here, "is a symbolic link to what does not exist", "remove it") from None
        except NotADirectoryError:
            raise _refused(here, "is not a folder", "remove it, or make it one") from None
        except OSError as error:
            raise _refused(here, f"cannot be read ({error.strerror})", "make it readable") from None
        if here.count("/") > DEEPEST_FOLDER:
            reason = f"is deeper than {DEEPEST_FOLDER} folders"
            raise _refused(here, reason, "remove what does not belong there")


def _inside(folder: Path, path: str, checkout: Path) -> Path:
    """Where a path of the project leads without links, if that is in the checkout."""
    real = Path(os.path.realpath(folder / path))
    if leads_out(real, checkout):
        raise _refused(
            path,
            "is a symbolic link out of the checkout, which is not followed: no commit contains what it leads to",
            "move that into the repository, and link to it by a relative path",
        )
    return real


def _refuse_kind(path: str, real: Path) -> None:
    mode = real.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise _refused(path, f"is {kind}, and not a file", "remove it, or put the file there")


def _refused(path: str, reason: str, fix: str) -> SettingsError:
    return SettingsError([Problem(reason, fix, file=path)])
