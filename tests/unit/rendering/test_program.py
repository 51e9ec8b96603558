"""Another checkout's objects are rendered by its own components, and ours are restored afterwards."""

import shutil
import sys
from pathlib import Path

import pytest

from delivery.rendering.program import ProgramError, objects
from tests.support import programs
from tests.support.projects import CHECKOUT, entry, project


def other_checkout(folder: Path, stack: str) -> Path:
    project(folder, stack)
    shutil.copytree(CHECKOUT / "components", folder / "components")
    return folder


def test_another_checkout_is_rendered_by_its_own_components(tmp_path: Path) -> None:
    folder = other_checkout(tmp_path, entry('version: "v1"\nreplicas: 2'))
    naming = folder / "components" / "kubernetes" / "naming.py"
    naming.write_text(naming.read_text().replace("ml-deployments/keep", "kept"))
    own = sys.modules["components.kubernetes.naming"]
    path = folder / "components" / "stage.py"
    path.write_text(
        path.read_text().replace("naming.kept() if keeps_data else {}", "{naming.KEEP: 'of another'}")
    )
    (namespace,) = [m for m in objects(folder, "test") if m["kind"] == "Namespace"]
    assert namespace["metadata"]["annotations"]["ml-deployments/keep"] == "of another"
    assert sys.modules["components.kubernetes.naming"] is own
    assert str(folder) not in sys.path


def test_what_another_checkout_refuses_is_the_message_alone(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        objects(other_checkout(tmp_path, entry("replicas: 2")), "test")
    assert str(caught.value).startswith("1 problem found; nothing was changed.\n  Pulumi.test.yaml:4: ")


def test_a_program_of_an_older_layout_says_what_renders_it(tmp_path: Path) -> None:
    programs.write(project(tmp_path), "")
    (tmp_path / "components" / "program.py").unlink()
    with pytest.raises(
        ProgramError, match=r"older than what renders it. Fix: check it out and render it with its own"
    ):
        objects(tmp_path, "test")
