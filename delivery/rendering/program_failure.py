"""Where a program failed, in its own words instead of a traceback of its caller."""

import traceback
from collections.abc import Iterator
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]


def failure(error: BaseException, project: Path, stage: str) -> tuple[str, str]:
    """What a program raised, with its own line that raised it and its first own line, as one line; and the fix.

    Args:
        error: What it raised; an exit counts too, since it skips the rest of the program.
        project: The program's folder.
        stage: The stage it ran for.
    """
    places = list(dict.fromkeys(_places(error, project.resolve())))
    where = f" at {places[-1]}" if places else ""
    start = f" (from {places[0]})" if len(places) > 1 else ""
    return (
        f"the program {_said(error, where + start)}",
        f"correct it there; `pulumi preview --stack {stage}` shows the whole traceback",
    )


def _said(error: BaseException, where: str) -> str:
    if isinstance(error, SystemExit):
        return f"exited early{where}: exit code {error.code or 0}"
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"failed{where}: {': '.join(filter(None, (type(error).__name__, text)))}"


def _places(error: BaseException, project: Path) -> Iterator[str]:
    """The program's own lines of a traceback, like `components/serving/model.py:12`, the outermost first."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield from _place(frame.f_code.co_filename, line, project)
    if isinstance(error, SyntaxError) and error.filename is not None:
        yield from _place(error.filename, error.lineno or 1, project)


def _place(filename: str, line: int, project: Path) -> Iterator[str]:
    path = Path(filename).resolve()
    # A project without its own components uses those of this checkout.
    for root, folder in ((project, project), (_CHECKOUT, _CHECKOUT / "components")):
        ours = path.is_relative_to(_CHECKOUT / "delivery")
        if path.is_relative_to(folder) and "site-packages" not in path.parts and not ours:
            yield f"{path.relative_to(root)}:{line}"
            return
