"""What a program renders in a process of its own is exactly what it renders in this one."""

import shutil
from pathlib import Path

import pytest

from delivery.rendering.apart import rendered_apart
from delivery.rendering.program import objects
from tests.support.projects import CHECKOUT
from tests.support.rich_stages import RICH_STAGES, STAGE


@pytest.mark.parametrize("name", ["runtimes-operator", "features-operator", "features-own-monitoring"])
def test_both_ways_render_the_same_types(tmp_path: Path, name: str) -> None:
    RICH_STAGES[name].write(tmp_path / "p")
    here = objects(tmp_path / "p", STAGE)
    (tmp_path / "p" / "components").symlink_to(CHECKOUT / "components")
    shutil.copy(CHECKOUT / "__main__.py", tmp_path / "p")
    assert here
    assert rendered_apart(tmp_path / "p", STAGE) == here
