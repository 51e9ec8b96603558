"""Which files make up a project, and how they are read."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.files.sources import Sources, belongs, is_read
from components.stack import load_stack
from tests.support.features import STORE, write_features
from tests.support.projects import CHECKOUT, GOOD_STACK, MODEL, problems, project

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12\n"


def test_another_text_for_a_file_counts_and_is_not_written(tmp_path: Path) -> None:
    sources = Sources.of(project(tmp_path))
    edited = sources.with_file("Pulumi.test.yaml", GOOD_STACK.replace("replicas: 2", "replicas: 3"))
    assert [load_stack(each, "test").settings.models[0].replicas for each in (edited, sources)] == [3, 2]
    assert (tmp_path / "Pulumi.test.yaml").read_text() == GOOD_STACK


def test_a_file_that_is_new_is_one_of_the_project(tmp_path: Path) -> None:
    stack = GOOD_STACK + '    b: {version: "v1", replicas: 1}\n'
    sources = Sources.of(project(tmp_path)).with_file("Pulumi.new.yaml", stack)
    assert sources.stages == ("new", "test")
    whole = sources.with_file("models/b.yaml", MODEL)
    assert [model.name for model in load_stack(whole, "new").settings.models] == ["a", "b"]


@pytest.mark.parametrize("file", ["Pulumi.test.yaml", "models/a.yaml", "features/views.py"])
def test_what_git_lfs_did_not_fetch_is_named(tmp_path: Path, file: str) -> None:
    project(tmp_path, GOOD_STACK + STORE)
    write_features(tmp_path)
    (tmp_path / file).write_text(POINTER)
    found = {problem.file: problem for problem in problems(tmp_path)}[file]
    assert found.reason == "the file is a pointer of Git LFS, and its content was not fetched"
    assert found.fix == "`git lfs install && git lfs pull`"


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    """As core.autocrlf and eol=crlf leave them: the definitions go into a ConfigMap, which must stay the same."""
    folders = tmp_path / "unix", tmp_path / "windows"
    for folder in folders:
        write_features(project(folder, GOOD_STACK + STORE))
    for path in folders[1].rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    unix, windows = (load_stack(Sources.of(folder), "test").settings for folder in folders)
    assert unix == windows


def test_what_the_program_reads_and_what_it_does_not() -> None:
    names = (
        "Pulumi.yaml",
        "Pulumi.a.yaml",
        "__main__.py",
        "models/a.yml",
        "features/a/b.py",
        "components/a.py",
    )
    assert [name for name in names if not is_read(name)] == []
    others = (
        "README.md",
        "models/notes.txt",
        "features/.ipynb_checkpoints/a.py",
        "tests/a.py",
        "features/a.csv",
    )
    assert [name for name in others if is_read(name)] == []
    assert belongs("features/a.csv")
    assert not belongs("docs/a.md")


@pytest.mark.parametrize(
    ("module", "others"),
    [
        (
            "components.loading.stack_files",
            ("components.monitoring", "components.kubernetes", "components.checks"),
        ),
        ("components.stack", ()),
        ("delivery.history.model_history", ("components.settings", "components.loading", "pydantic")),
    ],
)
def test_reading_imports_no_more_than_it_needs(module: str, others: tuple[str, ...]) -> None:
    names = ("pulumi", "pulumi_kubernetes", *others)
    wanted = f"any(m == n or m.startswith(n + '.') for n in {names})"
    code = f"import sys, {module}; print([m for m in sys.modules if {wanted}])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
