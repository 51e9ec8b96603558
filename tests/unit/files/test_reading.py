"""Only files of the checkout are read, and each of them ends."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import Problem
from components.files.reading import LARGEST_BYTES, MOST_ENTRIES
from delivery.checking.check import check
from delivery.cli import app
from tests.support.features import STORE, write_features
from tests.support.projects import GOOD_STACK, MODEL, project

PARTS = ("models/a.yaml", "Pulumi.test.yaml", "Pulumi.yaml", "features/views.py", "features/requirements.txt")
OUTSIDE = "what-is-outside"


def whole(folder: Path) -> Path:
    """A project with a feature store, which has no problem."""
    write_features(project(folder, GOOD_STACK + STORE))
    (folder / "Pulumi.yaml").write_text("name: ml-deployments\nruntime: python\n")
    (folder / "features" / "requirements.txt").write_text("feast==0.67.0\n")
    assert check(folder).problems == ()
    return folder


def of(folder: Path, file: str) -> Problem:
    """The one problem of a file."""
    (found,) = [problem for problem in check(folder).problems if problem.file == file]
    return found


def nothing_shown(folder: Path) -> None:
    """No command shows or renders what is outside."""
    output = folder.parent / "rendered"
    for command in (["check"], ["show", "test"], ["policy"], ["render", "test", "--output", str(output)]):
        done = CliRunner().invoke(app, [*command, "--project", str(folder)])
        assert OUTSIDE not in done.output
        assert not isinstance(done.exception, Exception)
    assert not output.exists() or not any(OUTSIDE in path.read_text() for path in output.iterdir())


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_out_of_the_checkout_is_refused(tmp_path: Path, part: str, *, absolute: bool) -> None:
    target = tmp_path / "outside"
    target.write_text(f"owner: {OUTSIDE}\n# {OUTSIDE}\n")
    file = whole(tmp_path / "project") / part
    file.unlink()
    file.symlink_to(target if absolute else os.path.relpath(target, file.parent))
    found = of(tmp_path / "project", part)
    assert found.reason.startswith("is a symbolic link out of the checkout, which is not followed")
    assert found.fix == "move that into the repository, and link to it by a relative path"
    nothing_shown(tmp_path / "project")


@pytest.mark.parametrize("part", ["models", "features"])
def test_so_is_a_folder_that_is_one(tmp_path: Path, part: str) -> None:
    folder = whole(tmp_path / "project")
    (folder / part).rename(tmp_path / "outside")
    (tmp_path / "outside" / f"{OUTSIDE}.yaml").write_text("")
    (folder / part).symlink_to(tmp_path / "outside")
    done = CliRunner().invoke(app, ["check", "--project", str(folder)])
    assert f"{part}: is a symbolic link out of the checkout" in done.output
    nothing_shown(folder)


def test_so_are_the_settings_of_the_controllers(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    (tmp_path / "outside").write_text(f"repository: {OUTSIDE}\n")
    (folder / "gitops").mkdir()
    (folder / "gitops" / "settings.yaml").symlink_to(tmp_path / "outside")
    for command in (["gitops", "--output", str(tmp_path / "made")], ["check"]):
        done = CliRunner().invoke(app, [*command, "--project", str(folder)])
        assert "gitops/settings.yaml: is a symbolic link out of the checkout" in done.output
        assert OUTSIDE not in done.output


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_settings_of_the_controllers_that_are_not_a_file(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    (project(tmp_path) / "gitops").mkdir()
    make(tmp_path / "gitops" / "settings.yaml")
    done = CliRunner().invoke(app, ["check", "--project", str(tmp_path)])
    assert "and not a file" in done.output


def test_what_belongs_to_git_is_not_in_the_checkout(tmp_path: Path) -> None:
    """It may contain the token with which a CI system fetched the commit."""
    folder = whole(tmp_path)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text(f"# {OUTSIDE}\n")
    (folder / "features" / "views.py").unlink()
    (folder / "features" / "views.py").symlink_to("../.git/config")
    assert of(folder, "features/views.py").reason.startswith("is a symbolic link out of the checkout")
    nothing_shown(folder)


def test_a_link_inside_the_repository_is_followed_from_a_project_in_a_folder(tmp_path: Path) -> None:
    folder = whole(tmp_path / "deployments")
    (tmp_path / ".git").mkdir()
    (folder / "models" / "a.yaml").rename(tmp_path / "a.yaml")
    (folder / "models" / "a.yaml").symlink_to("../../a.yaml")
    assert check(folder).problems == ()


def _socket(path: Path) -> None:
    # The path of a socket is short.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


KINDS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("folder", lambda path: path.mkdir(), "is a folder, and not a file"),
    ("pipe", os.mkfifo, "is a named pipe, and not a file"),
    ("socket", _socket, "is a socket, and not a file"),
    ("endless device", lambda path: path.symlink_to("/dev/zero"), "is a symbolic link out of the checkout"),
    ("dead link", lambda path: path.symlink_to("nowhere"), "is a symbolic link to what does not exist"),
    (
        "loop",
        lambda path: path.symlink_to(path.name),
        "the file cannot be read (Too many levels of symbolic links)",
    ),
    (
        "large",
        lambda path: path.write_text("#" * (LARGEST_BYTES + 1)),
        f"has more than {LARGEST_BYTES} bytes",
    ),
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("make", "reason"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_what_is_not_a_file_has_one_message(
    tmp_path: Path, part: str, make: Callable[[Path], object], reason: str
) -> None:
    folder = whole(tmp_path)
    (folder / part).unlink()
    make(folder / part)
    assert reason in of(folder, part).reason
    nothing_shown(folder)


@pytest.mark.parametrize("part", ["models", "features"])
def test_a_folder_with_too_much_in_it_is_refused(tmp_path: Path, part: str) -> None:
    folder = project(tmp_path)
    (folder / part / "more").mkdir(parents=True)
    for number in range(MOST_ENTRIES + 1):
        (folder / part / "more" / str(number)).touch()
    done = CliRunner().invoke(app, ["check", "--project", str(folder)])
    assert f"{part}: has more than {MOST_ENTRIES} files" in done.output


@pytest.mark.parametrize("part", ["models", "features"])
def test_what_is_not_a_folder_is_refused(tmp_path: Path, part: str) -> None:
    wrong: tuple[tuple[str, Callable[[Path], object], str], ...] = (
        ("file", lambda path: path.write_text(""), "is not a folder"),
        (
            "loop",
            lambda path: path.symlink_to(path.name),
            "cannot be read (Too many levels of symbolic links)",
        ),
        ("dead", lambda path: path.symlink_to("nowhere"), "is a symbolic link to what does not exist"),
        ("deep", lambda path: (path / "/".join("d" * 60)).mkdir(parents=True), "is deeper than 50 folders"),
    )
    for name, make, reason in wrong:
        folder = project(tmp_path / name)
        if (folder / part).exists():
            (folder / part).rename(tmp_path / name / "moved")
        make(folder / part)
        done = CliRunner().invoke(app, ["check", "--project", str(folder)])
        assert (name, done.exit_code, reason in done.output) == (name, 1, True), done.output


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Pulumi.Prod.yaml", "is not read: a stage's file is Pulumi.<stage>.yaml"),
        ("Pulumi.eu.west.yaml", "is not read: a stage's file is Pulumi.<stage>.yaml"),
        ("Pulumi.prod.yml", "is not read: a stage's file is Pulumi.<stage>.yaml"),
        ("Pulumi.prod.json", "is not read: a stage's file is Pulumi.<stage>.yaml"),
        ("Pulumi.yml", "is not read: the project's file is Pulumi.yaml"),
        ("pulumi.yaml", "is not read: the project's file is Pulumi.yaml"),
        ("models/team/b.yaml", "is not read: a model's file is models/<model>.yaml"),
        ("models/b.YAML", "is not read: a model's file is models/<model>.yaml"),
        ("models/b.json", "is not read: a model's file is models/<model>.yaml"),
    ],
)
def test_what_looks_like_a_file_of_a_project_is_not_passed_over(
    tmp_path: Path, path: str, reason: str
) -> None:
    file = project(tmp_path) / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(MODEL)
    assert of(tmp_path, path).reason.startswith(reason)


@pytest.mark.parametrize(
    "path", ["models/README.md", "models/b.yaml~", "Pulumi.test.yaml.orig", "features/data.csv"]
)
def test_notes_and_copies_of_an_editor_are(tmp_path: Path, path: str) -> None:
    file = project(tmp_path) / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    assert check(tmp_path).problems == ()


@pytest.mark.parametrize("line", ["stackConfigDir: stages", "config: stages"])
def test_stack_files_in_another_folder_are_refused(tmp_path: Path, line: str) -> None:
    (project(tmp_path) / "Pulumi.yaml").write_text(f"name: ml-deployments\nruntime: python\n{line}\n")
    found = of(tmp_path, "Pulumi.yaml")
    assert (found.line, found.field) == (3, line.partition(":")[0])


def test_a_linked_folder_of_definitions_is_named(tmp_path: Path) -> None:
    folder = whole(tmp_path)
    (folder / "more").mkdir()
    (folder / "features" / "more").symlink_to("../more")
    assert of(folder, "features/more").reason == "is a link to a folder, which is not followed in features/"
