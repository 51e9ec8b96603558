"""Nothing is written, or posted, through a link that a commit may contain."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from components.files.writing import write_file
from delivery.cli import app
from tests.support.projects import CHECKOUT, GOOD_STACK, project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the settings of the controllers, next to a file that is not its own."""
    (tmp_path / "outside").write_text("mine")
    made = project(tmp_path / "project", GOOD_STACK)
    (made / "gitops").mkdir()
    settings = (CHECKOUT / "gitops" / "settings.yaml").read_text().replace("[staging, production]", "[test]")
    (made / "gitops" / "settings.yaml").write_text(settings)
    return made


@pytest.mark.parametrize("name", ["flux/test.yaml", "flux"])
def test_a_link_is_not_written_through(folder: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "outside"
    if name == "flux":
        target = tmp_path / "elsewhere"
        target.mkdir()
    (folder / "gitops" / name).parent.mkdir(exist_ok=True)
    (folder / "gitops" / name).symlink_to(target)
    arguments = ["gitops", "--output", str(folder / "gitops"), "--project", str(folder)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "is a symbolic link to what is elsewhere, and nothing is written through it" in done.output
    assert (tmp_path / "outside").read_text() == "mine"
    assert list(tmp_path.glob("elsewhere/*")) == []


def test_nor_is_a_folder_that_is_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "docs").symlink_to("../elsewhere")
    done = CliRunner().invoke(app, ["schema", "--output", str(tmp_path / "project" / "docs")])
    assert (done.exit_code, list((tmp_path / "elsewhere").iterdir())) == (1, [])


def test_a_pipe_is_not_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(UserError, match="is not a file"):
        write_file(tmp_path, "a", "x")


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("")
    (tmp_path / "a").symlink_to("b")
    write_file(tmp_path, "a", "x")
    assert (tmp_path / "b").read_text() == "x"


def test_a_page_that_leads_elsewhere_is_not_posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of the pull request wrote it, and the job that posts it has a token."""
    monkeypatch.setenv("GITHUB_TOKEN", "not-a-token")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "page.md").symlink_to("../secret")
    arguments = ["comment", str(tmp_path / "build" / "page.md"), "--repository", "a/b", "--pull-request", "1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "is a symbolic link out of the checkout" in done.output


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0"])
def test_what_is_not_a_text_in_the_generated_folder_is_stale(folder: Path, content: bytes) -> None:
    (folder / "gitops" / "flux").mkdir()
    (folder / "gitops" / "flux" / "test.yaml").write_bytes(content)
    done = CliRunner().invoke(app, ["check", "--project", str(folder)])
    assert "gitops/flux/test.yaml" in done.output
    assert not isinstance(done.exception, Exception)
