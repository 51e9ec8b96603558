"""The trees that a review reads: HEAD's, with its own program or with that of the base commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.files.sources import Sources
from delivery.git.checkouts import sources_at
from delivery.git.repository import Repository
from delivery.review.safety_files import is_data

_VENV = ".venv"


@contextmanager
def head_tree(repository: Repository, base: str, head: str, *, code: bool) -> Iterator[Sources]:
    """The project as HEAD has it, with the Python environment in which Pulumi runs the program.

    Args:
        repository: The repository.
        base: The base commit.
        head: HEAD's commit.
        code: False for the base commit's code with the data of HEAD: the files that are read, and never run.
    """
    if code:
        with sources_at(repository, head) as sources:
            _link_environment(repository, sources.folder)
            yield sources
        return
    with repository.at(head) as folder:
        _replace_code(Repository(folder), base)
        _link_environment(repository, folder)
        yield Sources.of(folder)


def _replace_code(tree: Repository, base: str) -> None:
    for path in _code(tree.git("ls-files", "-z")):
        file = tree.project / path
        file.unlink(missing_ok=True)
        # Git has no empty folders, and Python would import one as a package.
        for folder in file.relative_to(tree.project).parents[:-1]:
            if not any((tree.project / folder).iterdir()):
                (tree.project / folder).rmdir()
    paths = _code(tree.git("ls-tree", "-r", "--name-only", "-z", base, "./"))
    if paths:
        tree.git(
            *("checkout", "--quiet", base, "--pathspec-from-file=-", "--pathspec-file-nul"),
            stdin="".join(f"{path}\0" for path in paths),
            GIT_LITERAL_PATHSPECS="1",
        )


def _code(listed: str) -> list[str]:
    return [path for path in listed.split("\0") if path and not is_data(path)]


def _link_environment(repository: Repository, folder: Path) -> None:
    environment, there = repository.project / _VENV, folder / _VENV
    if environment.exists() and not there.exists():
        there.symlink_to(environment.resolve())
