"""What a registry's manifest describes: an image, an index of images, or something that is not an image."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from delivery.http.documents import Document

# A digest becomes a part of an address.
Digest = Annotated[str, Field(pattern=r"^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$")]

_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
# What containerd counts as a layer.
_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_KNOWN = {
    "application/vnd.cncf.helm.config.v1+json": "a Helm chart",
    "application/vnd.in-toto+json": "an attestation",
    "application/vnd.dev.cosign.simplesigning.v1+json": "a signature",
    "application/vnd.cncf.model.config.v1+json": "a model's files",
}
# The names that image tools use for what Kubernetes' label kubernetes.io/arch says in Go's words.
_SAME = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "armhf": "arm",
    "armel": "arm",
}
_MOST_NAMED = 8

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Platform(Document):
    """What an image runs on, in an index or in the image's configuration."""

    os: str = ""
    architecture: str = ""

    def __str__(self) -> str:
        """Like `linux/amd64`, in Kubernetes' words."""
        architecture = self.architecture.lower()
        return f"{self.os.lower() or '?'}/{_SAME.get(architecture, architecture) or '?'}"


class Described(Document):
    """A part that has a place of its own in the registry."""

    media_type: Annotated[str, Field(alias="mediaType")] = ""
    digest: Digest
    platform: Platform | None = None


class Manifest(Document):
    """A manifest of an image or of another artifact, or an index of manifests."""

    config: Described | None = None
    layers: list[Described] | None = None
    manifests: list[Described] | None = None
    artifact_type: Annotated[str, Field(alias="artifactType")] = ""

    def why_not_an_image(self) -> str | None:
        """What it is instead of an image or an index, like `a Helm chart`; None for one of both."""
        if self.manifests is not None:
            # Two readers could see two images.
            both = self.config is not None or self.layers
            return "both an index and an image" if both else None
        if self.config is None:
            return "not in a format that nodes run"
        layers = self.layers or []
        types = [self.artifact_type, self.config.media_type, *(layer.media_type for layer in layers)]
        known = next((_KNOWN[each] for each in types if each in _KNOWN), None)
        if known is not None:
            return known
        if self.config.media_type not in _CONFIGS:
            return f"an artifact of the type {(self.artifact_type or self.config.media_type)[:100] or '?'}"
        other = next((each.media_type for each in layers if not each.media_type.startswith(_LAYERS)), None)
        return None if other is None else f"an artifact with parts of the type {other[:100] or '?'}"


def fitting(manifests: Iterable[Described], platform: str) -> list[Described]:
    """The entries of an index that a node of the platform may choose: the one that says so, else those without one."""
    said = [each for each in manifests if each.platform is not None and str(each.platform) == platform]
    return said[:1] or [each for each in manifests if each.platform is None]


def named_platforms(manifests: Iterable[Described]) -> str:
    """The platforms of an index, without attestations', which are for none."""
    said = {str(each.platform) for each in manifests if each.platform is not None}
    known = sorted(each for each in said if each.replace("?", "unknown") != "unknown/unknown")
    return ", ".join(known[:_MOST_NAMED]) or "none"
