"""Pushes images and other artifacts to a registry on loopback, a layer in pieces and only if it is not there yet."""

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dxf import DXF

from delivery.http.addresses import is_loopback
from delivery.registries.docker_credentials import credentials
from delivery.registries.images import split_repository
from sandbox.images.archive import write_layer
from sandbox.images.oci import Image, Layer, Settings, as_json, digest_of, image
from sandbox.images.trees import File

_SECONDS = 60.0


def push(reference: str, built: Image, *, insecure: bool = True) -> str:
    """Push an image; returns its digest.

    Args:
        reference: `host/repository:tag` of a registry on loopback.
        built: The image.
        insecure: Plain HTTP.

    Raises:
        ValueError: the registry is not on this machine.
    """
    with _client(reference, insecure=insecure) as client:
        for layer in built.layers:
            with layer.file.open("rb") as content:
                client.push_blob(data=content, digest=layer.digest)
        client.push_blob(data=io.BytesIO(built.config), digest=digest_of(built.config))
        client.set_manifest(_tag(reference), built.manifest.decode())
    return built.digest


def push_image(
    reference: str, files: Mapping[str, bytes], *, insecure: bool = True, architecture: str = "amd64"
) -> str:
    """Push an image that contains only these files, so that nothing in it can run; returns its digest.

    Args:
        reference: `host/repository:tag` of a registry on loopback.
        files: Contents by path.
        insecure: Plain HTTP.
        architecture: What the image says that it is for.

    Raises:
        ValueError: the registry is not on this machine.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "layer.tar"
        with file.open("wb") as output:
            layer = Layer(
                *write_layer({path: File(content) for path, content in files.items()}, output), file
            )
        return push(reference, image((layer,), Settings(), architecture), insecure=insecure)


def push_artifact(
    reference: str, manifest: Mapping[str, object], blobs: Iterable[bytes] = (), *, insecure: bool = True
) -> str:
    """Push any manifest with its parts; returns its digest.

    Args:
        reference: `host/repository:tag` of a registry on loopback.
        manifest: With its `mediaType`.
        blobs: What it names.
        insecure: Plain HTTP.

    Raises:
        ValueError: the registry is not on this machine.
    """
    text = as_json(manifest)
    with _client(reference, insecure=insecure) as client:
        for blob in blobs:
            client.push_blob(data=io.BytesIO(blob), digest=digest_of(blob))
        client.set_manifest(_tag(reference), text.decode())
    return digest_of(text)


def _client(reference: str, *, insecure: bool) -> DXF:
    host, name = split_repository(reference.rpartition(":")[0])
    if not is_loopback(host):
        raise ValueError(f"{host} is not on this machine")
    return DXF(host, name, auth=_login(host), insecure=insecure, timeout=_SECONDS)


def _tag(reference: str) -> str:
    return reference.rpartition(":")[2]


def _login(host: str) -> Callable[[Any, Any], None]:
    def login(client: Any, response: Any) -> None:  # noqa: ANN401
        client.authenticate(authorization=f"Basic {credentials(host).basic}", response=response)

    return login
