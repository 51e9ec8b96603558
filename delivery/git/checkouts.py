"""The project as a commit has it, in place where the checkout is the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from components.files.sources import Sources
from delivery.git.repository import Repository
from delivery.git.whole import refuse_parts


@contextmanager
def sources_at(repository: Repository, revision: str) -> Iterator[Sources]:
    """The project as a commit has it: in the checkout where nothing differs, else in a temporary folder.

    Raises:
        UserError: there is no such commit, or it does not contain the whole project.
    """
    commit = repository.resolve(revision)
    if repository.resolve("HEAD") == commit and not repository.changed():
        refuse_parts(repository, commit, repository.project, repository.top)
        yield Sources.of(repository.project)
        return
    with repository.at(commit) as folder:
        yield Sources.of(folder)
