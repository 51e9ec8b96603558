"""Every tag of an image can be a version, and its label is one that Kubernetes takes."""

import re
from pathlib import Path

import pytest

from components.kubernetes.naming import VERSION, version_label
from tests.support.projects import entry, named, project

LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
LONG = "v1.4.2-" + "0" * 121


@pytest.mark.parametrize("version", ["v1", "1.10", "v" * 63])
def test_a_version_that_is_a_label_is_the_label(version: str) -> None:
    assert version_label(version) == version


@pytest.mark.parametrize("version", ["v" * 64, LONG, "_v1", "v1.", "v1-", "___", "_" * 128, f"v{'.' * 63}x"])
def test_another_tag_has_a_label_of_its_own(version: str) -> None:
    assert LABEL.fullmatch(version_label(version))
    assert version_label(version) != version_label(f"{version[:-1]}y")
    assert version_label(version) == version_label(version)


def test_the_pods_of_a_long_tag_have_the_whole_tag_and_a_label(tmp_path: Path) -> None:
    deployment = named(project(tmp_path, entry(f'version: "{LONG}"\nreplicas: 1')))["Deployment a"]
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["image"].endswith(f":{LONG}")
    assert {"name": "MODEL_VERSION", "value": LONG} in container["env"]
    label = pod["metadata"]["labels"][VERSION]
    assert label == deployment["metadata"]["labels"][VERSION] == version_label(LONG)
    assert label.startswith("v1.4.2-")
