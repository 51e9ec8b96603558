"""What the program registers is what is rendered: the real `__main__.py` under mocks, for every rich stage."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from delivery.rendering.render import manifests
from sandbox.harness.registrations import KUBERNETES, Registered, record
from tests.support.projects import CHECKOUT
from tests.support.rich_stages import RICH_STAGES, STAGE


@pytest.fixture(scope="module", params=sorted(RICH_STAGES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project: Path = tmp_path_factory.mktemp("rich") / request.param
    RICH_STAGES[request.param].write(project)
    shutil.copy(CHECKOUT / "__main__.py", project)
    return project


def objects(project: Path) -> list[Registered]:
    return [one for one in record(project, STAGE) if one.type.startswith(KUBERNETES)]


def identity(manifest: dict[str, object]) -> str:
    return json.dumps(manifest, sort_keys=True)


def test_what_is_registered_is_what_is_rendered(folder: Path) -> None:
    registered = [one.inputs for one in objects(folder)]
    assert sorted(registered, key=identity) == sorted(manifests(folder, STAGE), key=identity)


def test_every_object_has_the_type_provider_and_plugin_that_fit(folder: Path) -> None:
    for one in objects(folder):
        api = str(one.inputs["apiVersion"])
        assert one.type == f"kubernetes:{api if '/' in api else f'core/{api}'}:{one.inputs['kind']}"
        assert one.provider.partition("::")[2].startswith(
            "ml-deployments::ml-deployments:index:Stage$pulumi:providers:kubernetes::kubernetes::"
        )
        assert one.version == version("pulumi-kubernetes")
