"""An image by the specification of OCI: its configuration, its manifest and its digest. Pure functions."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sandbox.images.archive import CREATED

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# The user of a model's container, and of most images without a shell.
USER = "65532:65532"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an image's container starts.

    Attributes:
        entrypoint: The program and its first arguments.
        environment: Its variables.
        user: `UID:GID`.
        folder: Its working directory.
        port: The port that it serves; None without one.
        labels: What the image says about itself.
    """

    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = USER
    folder: str = "/"
    port: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A layer that is built: its digest, its size in bytes, and the file that contains it."""

    digest: str
    size: int
    file: Path


@dataclass(frozen=True)
class Image:
    """An image that is built: its layers, the lowest first, its configuration and its manifest."""

    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest, by which a reference pins the image."""
        return digest_of(self.manifest)

    @property
    def size(self) -> int:
        """The size of its layers in bytes."""
        return sum(layer.size for layer in self.layers)


def image(layers: tuple[Layer, ...], settings: Settings, architecture: str) -> Image:
    """An image of layers that are built.

    Args:
        layers: The lowest first.
        settings: How its container starts.
        architecture: As OCI names it, like `amd64`.
    """
    config = as_json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": CREATED,
            "config": _config(settings),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described(CONFIG, config),
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
    }
    return Image(layers, config, as_json(manifest))


def _config(settings: Settings) -> dict[str, object]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    variables = {"PATH": path, **settings.environment}
    return {
        "User": settings.user,
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "WorkingDir": settings.folder,
        **({"Entrypoint": list(settings.entrypoint)} if settings.entrypoint else {}),
        **({} if settings.port is None else {"ExposedPorts": {f"{settings.port}/tcp": {}}}),
        **({"Labels": dict(settings.labels)} if settings.labels else {}),
    }


def own_architecture() -> str:
    """This machine's, as OCI names it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def described(media_type: str, blob: bytes) -> dict[str, object]:
    """How a manifest names a part."""
    return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob)}


def as_json(value: object) -> bytes:
    """A part that is JSON; the same value has the same digest."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of(blob: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{sha256(blob).hexdigest()}"
