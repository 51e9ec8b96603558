"""The definitions as Feast imports them. Runs where Feast is installed, and not in the program."""

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def inside(repository: Path) -> Iterator[None]:
    """Feast finds the definitions in the current folder, and imports them by their names in it."""
    with contextlib.chdir(repository):
        # `python -m` put the program's folder there; definitions must not import from it, since the cluster lacks it.
        sys.path[0] = str(Path.cwd())
        yield


def place(error: BaseException, repository: Path) -> tuple[str, int | None] | None:
    """File and line of the definitions that raised an error, the innermost; None where none did."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        frames.append((error.filename or "", error.lineno))
    root = repository.resolve()
    for name, line in reversed(frames):
        # Generated code has a name like <string>, which is not a path.
        if not name.startswith("<") and (path := Path(name).resolve()).is_relative_to(root):
            return f"{root.name}/{path.relative_to(root)}", line
    return None


def said(error: BaseException) -> str:
    """The kind of an error, and the first line of its message without the full stop."""
    return ": ".join(filter(None, (type(error).__name__, first_line(error).rstrip(" .:"))))


def first_line(error: BaseException) -> str:
    """The first line of an error's message; empty where there is none."""
    return next(iter(str(error).splitlines()), "")
