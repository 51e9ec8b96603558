"""Stand-in for `docker build`, which needs a container engine: puts files into an OCI image and pushes it.

The image, its digest and the push are real. There is no operating system in it, so no kubelet could run it, and the
sandbox's kubelets run nothing. The same files have the same digest.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from dxf import DXF

from delivery.http.addresses import is_loopback
from delivery.registries.docker_credentials import credentials
from delivery.registries.images import split_repository

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_SECONDS = 30.0


def push_image(
    reference: str, files: Mapping[str, bytes], *, insecure: bool = True, architecture: str = "amd64"
) -> str:
    """Push an image that contains the files by their paths; returns its digest.

    Args:
        reference: `host/repository:tag` of a registry on loopback.
        files: Contents by path.
        insecure: Plain HTTP.
        architecture: What the image says that it is for.

    Raises:
        ValueError: the registry is not on this machine.
    """
    layer, content = _layer(files)
    config = as_json({"architecture": architecture, "os": "linux", "rootfs": _root(content), "config": {}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described(_CONFIG, config),
        "layers": [described(_LAYER, layer)],
    }
    return push_artifact(reference, manifest, (layer, config), insecure=insecure)


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
    repository, _, tag = reference.rpartition(":")
    host, name = split_repository(repository)
    if not is_loopback(host):
        raise ValueError(f"{host} is not on this machine")
    text = as_json(manifest)
    with DXF(host, name, auth=_login(host), insecure=insecure, timeout=_SECONDS) as client:
        for blob in blobs:
            client.push_blob(data=io.BytesIO(blob), digest=_digest(blob))
        client.set_manifest(tag, text.decode())
    return _digest(text)


def described(media_type: str, blob: bytes) -> dict[str, object]:
    """How a manifest names a part."""
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def as_json(value: object) -> bytes:
    """A part that is JSON; the same value has the same digest."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _login(host: str) -> Callable[[Any, Any], None]:
    def login(client: Any, response: Any) -> None:
        client.authenticate(authorization=f"Basic {credentials(host).basic}", response=response)

    return login


def _layer(files: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """The files as a compressed archive, and the archive itself."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    content = buffer.getvalue()
    # Level 0 and no time: the bytes do not depend on the version of the compressor.
    return gzip.compress(content, compresslevel=0, mtime=0), content


def _root(content: bytes) -> dict[str, object]:
    return {"type": "layers", "diff_ids": [_digest(content)]}


def _digest(blob: bytes) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"
