"""What several test files look at."""

import pytest

from tests.unit.monitoring_stacks import Manifest, stack_of


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The objects of a stage that installs a monitoring stack."""
    return stack_of(tmp_path_factory.mktemp("installed"))
