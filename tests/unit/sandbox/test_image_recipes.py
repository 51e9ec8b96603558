"""A layer is built once from its recipe, and an image is what OCI says that it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.images.layers import Recipe
from sandbox.images.oci import Settings, digest_of, image
from sandbox.images.trees import File, Tree
from sandbox.images.wheels import chosen_requirements

Builder = Callable[[Path, Path], Tree]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ml-deployments" / "images"


def counted(content: bytes, builds: list[bytes]) -> Builder:
    def build(_root: Path, work: Path) -> Tree:
        builds.append(content)
        (work / "file").write_bytes(content)
        return {"file": File(work / "file")}

    return build


def test_a_layer_is_built_once_and_again_when_an_input_changes() -> None:
    builds: list[bytes] = []
    first = Recipe("one", ("1",), counted(b"1", builds)).built()
    assert Recipe("one", ("1",), counted(b"other", builds)).built() == first
    assert Recipe("one", ("2",), counted(b"2", builds)).built() != first
    assert builds == [b"1", b"2"]
    assert digest_of(first.file.read_bytes()) == first.digest


def test_a_layer_that_uses_the_one_below_follows_its_inputs() -> None:
    def below(text: bytes) -> Recipe:
        return Recipe("below", (text.decode(),), lambda _root, _work: {"text": File(text)})

    def copied(root: Path, _work: Path) -> Tree:
        return {"copy": File((root / "text").read_bytes())}

    one = Recipe("copy", (), copied, below(b"1"), runs=True).built()
    other = Recipe("copy", (), copied, below(b"2"), runs=True).built()
    assert one.digest != other.digest


def test_a_build_that_failed_leaves_nothing_that_counts(cache: Path) -> None:
    def fails(_root: Path, work: Path) -> Tree:
        (work / "half").write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        Recipe("one", (), fails).built()
    builds: list[bytes] = []
    Recipe("one", (), counted(b"1", builds)).built()
    assert builds == [b"1"]
    assert sorted(path.name for path in cache.iterdir()) == ["blobs", "recipes"]


def test_an_image_says_how_its_container_starts() -> None:
    layer = Recipe("one", (), counted(b"1", [])).built()
    settings = Settings(
        entrypoint=("/bin/tool", "--flag"), environment={"A": "1"}, folder="/app", port=80, labels={"l": "v"}
    )
    built = image((layer,), settings, "amd64")
    manifest, config = json.loads(built.manifest), json.loads(built.config)
    assert manifest["config"]["digest"] == digest_of(built.config)
    assert [each["digest"] for each in manifest["layers"]] == [layer.digest]
    # The layer is not compressed, so that its two digests are the same.
    assert config["rootfs"]["diff_ids"] == [layer.digest]
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"] == {
        "Entrypoint": ["/bin/tool", "--flag"],
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"l": "v"},
        "User": "65532:65532",
        "WorkingDir": "/app",
    }
    assert image((layer,), settings, "amd64").digest == built.digest == digest_of(built.manifest)
    assert image((layer,), settings, "arm64").digest != built.digest


def test_the_packages_are_those_of_the_images_python_whatever_runs_this() -> None:
    locked = (
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:cc\n"
        "feast[redis]==0.67.0 \\\n    --hash=sha256:dd\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:ee\n"
    )
    assert chosen_requirements(locked) == (
        "numpy==2.4.6 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "feast[redis]==0.67.0 \\\n    --hash=sha256:dd\n"
    )
