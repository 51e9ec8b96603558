"""Stand-in for `docker build`, which needs a container engine: puts files into an OCI image and pushes it.

The image, its digest and the push are real. There is no operating system in it, so no kubelet could run it, and the
sandbox's kubelets run nothing. The same files have the same digest.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from hashlib import sha256

from delivery.registries.images import is_loopback, open_repository, split_repository

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def push_image(reference: str, files: Mapping[str, bytes], *, insecure: bool = True) -> str:
    """Push an image that contains the files by their paths; returns its digest.

    Args:
        reference: `host/repository:tag` of a registry on loopback.
        files: Contents by path.
        insecure: Plain HTTP.

    Raises:
        ValueError: the registry is not on this machine.
    """
    repository, _, tag = reference.rpartition(":")
    host, name = split_repository(repository)
    if not is_loopback(host):
        raise ValueError(f"{host} is not on this machine")
    with open_repository(host, name, insecure=insecure) as client:
        layer, content = _layer(files)
        config = _json({"architecture": "amd64", "os": "linux", "rootfs": _root(content), "config": {}})
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _described(_CONFIG, config),
                "layers": [_described(_LAYER, layer)],
            }
        )
        for blob in (layer, config):
            client.push_blob(data=io.BytesIO(blob), digest=_digest(blob))
        client.set_manifest(tag, manifest.decode())
    return _digest(manifest)


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


def _described(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
