"""A stage at a commit is loaded once, whatever is asked of it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from delivery.drift.target import target
from delivery.git.repository import Repository
from delivery.promotion.promote import promote
from delivery.promotion.promotion import Request
from delivery.registries.facts import release_facts
from delivery.review.review import review
from tests.support.projects import CHECKOUT, MODEL
from tests.support.repositories import Work, flow

_opened: list[str] = []
_counting = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _counting and event == "open" and isinstance(arguments[0], str):
        _opened.append(Path(arguments[0]).name)


sys.addaudithook(_note)


@contextmanager
def opened() -> Iterator[list[str]]:
    """The name of every file that Python opens inside the block, once for each time."""
    global _counting  # noqa: PLW0603 - an audit hook cannot be taken away
    _opened.clear()
    _counting = True
    try:
        yield _opened
    finally:
        _counting = False


@pytest.fixture
def work(tmp_path: Path) -> Work:
    work = Work.new(tmp_path)
    shutil.copy(CHECKOUT / "__main__.py", tmp_path)
    work.commit("Program", {})
    work.release("staging", a=flow("v2"))
    return work


def test_loading_reads_each_file_once(work: Work) -> None:
    with opened() as names:
        load_stack(Sources.of(work.folder), "staging")
        assert (names.count("a.yaml"), names.count("Pulumi.staging.yaml")) == (1, 1)


def test_a_review_loads_each_commit_once(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = work.folder.parent / "bin"
    pulumi.mkdir(exist_ok=True)
    (pulumi / "pulumi").write_text("#!/bin/sh\necho '{}'\n")
    (pulumi / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi), prepend=":")
    with opened() as names:
        _, (found,) = review(work.folder, "HEAD~1..HEAD", "staging")
        assert not found.problems
        assert found.changes
        assert names.count("a.yaml") == 2


def test_drift_loads_the_commit_once(work: Work) -> None:
    (work.folder / "models" / "a.yaml").write_text(MODEL + "# edited\n")
    with opened() as names:
        assert target(work.folder, "staging").manifests
        assert names.count("a.yaml") == 1


def test_a_promotion_loads_the_stage_before_and_after(work: Work) -> None:
    request = Request(model="a", source="staging", target="production")
    with opened() as names:
        promote(Repository(work.folder), request, release_facts)
        assert names.count("a.yaml") == 2
