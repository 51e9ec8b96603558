"""The folder of rendered manifests contains them and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.rendering.render import HEADER
from tests.support.projects import project
from tests.unit.commands.test_delivery import run


def render(folder: Path, output: Path, code: int = 0) -> str:
    found, out, err = run("render", "test", "--output", output, "--project", folder)
    assert found == code, out + err
    return err


def held(output: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in output.iterdir() if path.is_file()}


def test_files_of_objects_that_are_gone_are_removed(tmp_path: Path) -> None:
    folder, output = project(tmp_path / "p"), tmp_path / "out"
    output.mkdir()
    render(folder, output)
    first = held(output)
    (output / "service-old.yaml").write_text(f"{HEADER}\nkind: Service\n")
    (output / "service-a.yaml").write_text(f"{HEADER}\nkind: Other\n")
    render(folder, output)
    assert held(output) == first


def put_text(output: Path) -> None:
    (output / "mine.yaml").write_text("kind: ConfigMap\n")


def put_quoted_header(output: Path) -> None:
    (output / "mine.yaml").write_text(f"kind: ConfigMap\n{HEADER}\n")


def put_header_in_another_kind_of_file(output: Path) -> None:
    (output / "mine.txt").write_text(f"{HEADER}\n")


def put_hidden(output: Path) -> None:
    (output / ".mine").write_text("")


def put_folder(output: Path) -> None:
    (output / "mine").mkdir()


def put_link(output: Path) -> None:
    (output.parent / "target.yaml").write_text(f"{HEADER}\n")
    (output / "mine.yaml").symlink_to(output.parent / "target.yaml")


@pytest.mark.parametrize(
    "put", [put_text, put_quoted_header, put_header_in_another_kind_of_file, put_hidden, put_folder, put_link]
)
def test_what_render_did_not_write_is_named_and_left_alone(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    folder, output = project(tmp_path / "p"), tmp_path / "out"
    output.mkdir()
    (output / "service-old.yaml").write_text(f"{HEADER}\nkind: Service\n")
    put(output)
    before = {path.name for path in output.iterdir()}
    said = render(folder, output, code=1)
    assert f"{output} contains " in said
    assert "mine" in said
    assert ", which `delivery render` did not write; nothing was changed. Fix: name an empty folder" in said
    assert {path.name for path in output.iterdir()} == before


def test_a_folder_with_other_files_is_not_listed_completely(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / f"{number}.py").write_text("")
    said = render(project(tmp_path / "p"), tmp_path / "out", code=1)
    assert "contains 0.py, 1.py, 2.py and 6 more, which" in said
