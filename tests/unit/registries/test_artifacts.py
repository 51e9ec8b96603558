"""What a tag holds has to be an image that the model's nodes can run."""

import json
from hashlib import sha256

import pytest

from delivery.registries.errors import RegistryError
from delivery.registries.images import image_digest, needed_platform
from tests.support.hostile_server import Asked, Play, answer, hostile

OCI = "application/vnd.oci.image"
GZIP = f"{OCI}.layer.v1.tar+gzip"
Store = dict[str, object]


def digest(value: object) -> str:
    return f"sha256:{sha256(json.dumps(value).encode()).hexdigest()}"


def part(media_type: str, value: object, **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest(value), "size": 1, **more}


def image(
    store: Store, architecture: str = "amd64", layer: str = GZIP, system: str = "linux"
) -> dict[str, object]:
    """An image, with its configuration in the store."""
    config = {"architecture": architecture, "os": system}
    store[digest(config)] = config
    made = {
        "schemaVersion": 2,
        "config": part(f"{OCI}.config.v1+json", config),
        "layers": [part(layer, "layer")],
    }
    store[digest(made)] = made
    return made


def artifact(config: str, layer: str, **more: object) -> dict[str, object]:
    return {"schemaVersion": 2, "config": part(config, {}), "layers": [part(layer, "layer")], **more}


def index(*entries: tuple[object, object]) -> dict[str, object]:
    """Of manifests with their platforms, or None."""
    listed = [
        part(f"{OCI}.manifest.v1+json", made, **({} if platform is None else {"platform": platform}))
        for made, platform in entries
    ]
    return {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": listed}


def platform(architecture: str, system: str = "linux", **more: str) -> dict[str, str]:
    return {"architecture": architecture, "os": system, **more}


def ask(tagged: object, store: Store, wanted: str = "linux/amd64") -> str:
    def route(asked: Asked) -> Play:
        name = asked.path.rpartition("/")[2]
        if name != "v1" and name not in store:
            return answer({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, "404 Not Found")
        return answer(tagged if name == "v1" else store[name])

    with hostile(route) as server:
        return image_digest(f"{server.host}/m", "v1", wanted)


@pytest.mark.parametrize("architecture", ["amd64", "x86_64", "AMD64"])
def test_an_image_of_the_platform_has_the_digest_of_its_bytes(architecture: str) -> None:
    store: Store = {}
    made = image(store, architecture)
    assert ask(made, store) == digest(made)


def test_an_index_with_the_platform_has_its_own_digest() -> None:
    store: Store = {}
    made = index(
        (image(store, "arm64"), platform("arm64", variant="v8")),
        (image(store), platform("amd64")),
        (image(store, "unknown", "application/vnd.in-toto+json"), platform("unknown", "unknown")),
    )
    assert ask(made, store) == digest(made)
    assert ask(made, store, "linux/arm64") == digest(made)


def test_an_index_without_platforms_or_in_an_index_is_looked_into() -> None:
    store: Store = {}
    inner = index((image(store, "arm64"), None), (image(store), None))
    store[digest(inner)] = inner
    assert ask(inner, store) == digest(inner)
    outer = index((inner, None))
    assert ask(outer, store) == digest(outer)


@pytest.mark.parametrize(
    ("tagged", "said"),
    [
        (artifact("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart"), "a Helm chart"),
        (
            artifact(f"{OCI[:19]}empty.v1+json", "text/plain", artifactType="application/vnd.example.weights"),
            "an artifact of the type application/vnd.example.weights",
        ),
        (artifact("application/vnd.unknown.config.v1+json", "x"), "an artifact of the type application/vnd.unknown"),
        (artifact(f"{OCI}.config.v1+json", "application/vnd.in-toto+json"), "an attestation"),
        (artifact(f"{OCI}.config.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json"), "a signature"),
        (artifact(f"{OCI}.config.v1+json", "application/gguf"), "an artifact with parts of the type application/gguf"),
        ({"schemaVersion": 1, "fsLayers": [], "architecture": "amd64"}, "not in a format that nodes run"),
        ({**artifact(f"{OCI}.config.v1+json", GZIP), "manifests": []}, "both an index and an image"),
    ],
)  # fmt: skip
def test_what_is_not_an_image_is_refused_by_its_kind(tagged: object, said: str) -> None:
    with pytest.raises(RegistryError, match=r"/m:v1 is not an image: it is ") as error:
        ask(tagged, {})
    assert said in error.value.reason


def test_an_image_for_another_architecture_is_refused_with_both() -> None:
    store: Store = {}
    with pytest.raises(
        RegistryError, match="/m:v1 is for linux/arm64, and the model needs linux/amd64"
    ) as error:
        ask(image(store, "aarch64"), store)
    assert "nodeSelector" in error.value.fix
    with pytest.raises(RegistryError, match="is for windows/amd64"):
        ask(image(store, system="windows"), store)
    with pytest.raises(RegistryError, match=r"is for linux/\?"):
        ask(image(store, ""), store)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            [platform("arm64"), platform("s390x")],
            "no image for linux/amd64; it has: linux/arm64, linux/s390x",
        ),
        ([platform("unknown", "unknown")], "no image for linux/amd64; it has: none"),
        ([], "no image for linux/amd64; it has: none"),
        ([None, None], "no image for linux/amd64; it has: none"),
    ],
)
def test_an_index_without_the_platform_says_what_it_has(entries: list[object], said: str) -> None:
    store: Store = {}
    other = image(store, "arm64")
    with pytest.raises(RegistryError, match="/m:v1 has no image for") as error:
        ask(index(*((other, each) for each in entries)), store)
    assert said in error.value.reason


def test_an_index_that_says_more_than_is_true() -> None:
    store: Store = {}
    other = image(store, "arm64")
    with pytest.raises(RegistryError, match="for linux/amd64, which is for linux/arm64, and the model needs"):
        ask(index((other, platform("amd64"))), store)
    gone = image({}, "amd64", GZIP + "x")
    with pytest.raises(RegistryError, match=r"for linux/amd64, which 127.0.0.1:\d+ does not have"):
        ask(index((gone, platform("amd64"))), store)
    chart = artifact("application/vnd.cncf.helm.config.v1+json", "x")
    store[digest(chart)] = chart
    with pytest.raises(RegistryError, match="for linux/amd64, which is not an image: it is a Helm chart"):
        ask(index((chart, platform("amd64"))), store)


def test_another_content_than_the_digest_says_is_refused() -> None:
    store: Store = {}
    made = image(store)
    store[digest({"architecture": "amd64", "os": "linux"})] = {
        "architecture": "amd64",
        "os": "linux",
        "more": 1,
    }
    with pytest.raises(RegistryError, match="has another content"):
        ask(made, store)
    said = f"sha256:{'2' * 64}"
    with (
        hostile(lambda _: answer(made, Docker_Content_Digest=said)) as server,
        pytest.raises(RegistryError, match=f"says that the digest of v1 is {said}, and sends {digest(made)}"),
    ):
        image_digest(f"{server.host}/m", "v1")


def test_the_platform_is_that_of_the_nodes_that_the_model_selects() -> None:
    assert needed_platform({}) == "linux/amd64"
    assert needed_platform({"kubernetes.io/arch": "arm64", "pool": "a"}) == "linux/arm64"
    assert needed_platform({"kubernetes.io/os": "windows"}) == "windows/amd64"
