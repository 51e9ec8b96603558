"""What killed runs leave in the repository and the temporary folder is removed; what is in use or not ours stays."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from delivery.git.repository import Repository
from tests.support.projects import CHECKOUT
from tests.support.repositories import Work

_HOLD = """
import sys
from pathlib import Path
from delivery.git.repository import Repository
with Repository(Path(sys.argv[1])).at("HEAD") as tree:
    print(tree, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A repository, and a temporary folder of the test."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Work.new(tmp_path / "work")


@contextmanager
def another_run(work: Work) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has a copy of HEAD, until its standard input ends; yields it and the copy."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(work.folder)],
        cwd=CHECKOUT,
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def killed_run(work: Work) -> Path:
    with another_run(work) as (_, tree):
        assert (tree / "Pulumi.staging.yaml").is_file()
    return tree


def known(work: Work) -> set[Path]:
    """The work trees git knows besides the user's first one."""
    lines = work.git("worktree", "list", "--porcelain").splitlines()
    return {Path(line.removeprefix("worktree ")) for line in lines if line.startswith("worktree ")} - {
        work.folder
    }


def test_what_a_killed_run_left_goes_with_the_next_one(work: Work, tmp_path: Path) -> None:
    left = {killed_run(work) for _ in range(2)}
    # The second run removed what the first one left.
    (last,) = known(work)
    assert last in left
    with Repository(work.folder).at("HEAD") as tree:
        assert known(work) == {tree}
    assert known(work) == set()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_a_run_left_that_was_killed_while_git_filled_the_folder(work: Work) -> None:
    tree = killed_run(work)
    work.git("worktree", "lock", "--reason", "initializing", str(tree))
    with Repository(work.folder).at("HEAD"):
        assert tree not in known(work)


def test_a_folder_that_someone_else_removed_is_forgotten(work: Work) -> None:
    tree = killed_run(work)
    tree.parent.rename(tree.parent.with_name("elsewhere"))
    with Repository(work.folder).at("HEAD"):
        assert tree not in known(work)


def test_the_folder_of_a_run_that_goes_on_stays(work: Work) -> None:
    with another_run(work) as (process, tree), Repository(work.folder).at("HEAD") as own:
        assert known(work) == {tree, own}
        assert (tree / "Pulumi.staging.yaml").is_file()
        process.communicate()
        assert process.returncode == 0
        assert known(work) == {own}


def test_two_at_once_in_one_process_stay(work: Work) -> None:
    repository = Repository(work.folder)
    with repository.at("HEAD") as one, repository.at("HEAD") as other:
        assert known(work) == {one, other}


def test_work_trees_of_the_users_stay(work: Work, tmp_path: Path) -> None:
    own, unplugged = tmp_path / "ml-deployments-mine" / "tree", tmp_path / "disk" / "tree"
    for path in (own, unplugged):
        work.git("worktree", "add", "--detach", "--quiet", str(path))
    unplugged.parent.rename(tmp_path / "away")
    with Repository(work.folder).at("HEAD"):
        pass
    assert known(work) == {own, unplugged}
    assert (own / "Pulumi.staging.yaml").is_file()
