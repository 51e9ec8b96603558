"""Images are immutable: the tag is a version, and where the stage requires it the digest is pinned."""

from collections.abc import Iterator

from components.errors import Problem
from delivery.policies.manifest import Manifest, Pod, model_pod, pod_of
from delivery.policies.stage import StageRules

_LATEST = "latest"
_DIGEST = "@sha256:"


def image_tag(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Every image has a tag or a digest, and the tag is not `latest`."""
    pod = pod_of(manifest)
    for name, image in _images(pod) if pod else ():
        tag = _tag(image)
        if tag == _LATEST or (not tag and _DIGEST not in image):
            why = "has the tag latest" if tag else "has no tag, which means latest"
            yield Problem(f"the image {image} of container {name} {why}", "name a version as the image's tag")


def image_digest(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Where the stage requires digests, every image of a model is pinned by one."""
    pod = model_pod(manifest, stage) if stage.require_digest else None
    for name, image in _images(pod) if pod else ():
        if _DIGEST not in image:
            yield Problem(
                f"the image {image} of container {name} is not pinned by its digest",
                'add digest: "sha256:..." to the model\'s entry in the stack file, as the registry shows it',
            )


def _images(pod: Pod) -> Iterator[tuple[str, str]]:
    """Container and image. A container without an image is skipped: the API server or the operator decides."""
    for container in (*pod.containers, *pod.patches):
        if container.get("image"):
            yield container["name"], container["image"]


def _tag(image: str) -> str:
    # Only after the last slash does a colon start a tag; before it there may be a port.
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
