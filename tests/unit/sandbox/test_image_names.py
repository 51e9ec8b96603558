"""The sandbox's images are those that the program deploys, under the names by which it does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.errors import UserError
from delivery.rendering.render import manifests
from sandbox.harness.clone import CHECKOUT
from sandbox.images.model_image import EXAMPLE, REPOSITORY, SHARES
from sandbox.images.oci import Image
from sandbox.images.system import REPRODUCIBLE
from sandbox.images.wanted import Wanted, push_all, require_committed, wanted
from sandbox.tools.pins import OPERATOR, OPERATOR_MODULE
from tests.support.feature_stores import stage as with_store
from tests.support.projects import named

# No Go module of Grafana's server builds with its user interface.
NOT_BUILT = {"docker.io/grafana/grafana"}


def images(value: Any) -> Iterator[str]:
    """Every field `image` of an object that names one."""
    if isinstance(value, list):
        for item in value:
            yield from images(item)
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "image" and isinstance(item, str):
                yield item.partition("@")[0]
            yield from images(item)


def missing(objects: Any) -> set[str]:
    built = {each.reference for each in wanted()}
    return {
        name for name in images(objects) if name not in built and name.rpartition(":")[0] not in NOT_BUILT
    }


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_every_image_of_a_committed_stage_is_built(stage: str) -> None:
    assert missing(manifests(CHECKOUT, stage)) == set()


def test_every_image_of_a_feature_store_is_built(tmp_path: Path) -> None:
    objects = [each for name, each in named(with_store(tmp_path)).items() if "feature-store" in name]
    assert len(set(images(objects))) == 3
    assert missing(objects) == set()


def test_the_operators_reloader_is_built_in_the_operators_version() -> None:
    (reference,) = [each.reference for each in wanted() if "config-reloader" in each.reference]
    assert reference.rpartition(":")[2] == OPERATOR.module_version(OPERATOR_MODULE)


def test_the_dockerfile_makes_what_the_sandbox_makes() -> None:
    text = (EXAMPLE / "Dockerfile").read_text()
    training = text[text.index("RUN OPENBLAS") : text.index("FROM", text.index("RUN OPENBLAS"))]
    for name in ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "GLIBC_TUNABLES", "OMP_NUM_THREADS"):
        assert re.search(rf'{name}="?{re.escape(REPRODUCIBLE[name])}', training), name
    for version, share in SHARES.items():
        assert f"{version} with {share}" in text
    assert 'ENTRYPOINT ["/venv/bin/python", "-m", "server"]' in text
    assert "USER 65532:65532" in text


def test_the_versions_that_the_stages_and_the_readme_name_are_built() -> None:
    files = (*CHECKOUT.glob("Pulumi.*.yaml"), CHECKOUT / "README.md")
    released = {
        version
        for file in files
        for version in re.findall(r'sentiment-classifier: \{version: "(\S+?)"', file.read_text())
    }
    assert released == set(SHARES)


def test_an_image_that_a_stage_does_not_pin_is_refused() -> None:
    other = Image((), b"{}", b"{}")
    each = Wanted(f"{REPOSITORY}:v1.2.0", "v1.2.0", lambda: other)
    with pytest.raises(UserError) as found:
        require_committed(CHECKOUT, [(each, other)])
    assert "Pulumi.production.yaml: sentiment-classifier v1.2.0: pinned sha256:" in str(found.value)
    assert f"built {other.digest}" in str(found.value)
    # v1.3.0 is in no stage.
    require_committed(CHECKOUT, [(Wanted(f"{REPOSITORY}:v1.3.0", "v1.3.0", lambda: other), other)])


def test_images_are_pushed_to_this_machine_only() -> None:
    with pytest.raises(UserError, match=r"registry.example.com is not on this machine; nothing was pushed"):
        push_all("registry.example.com", [])
