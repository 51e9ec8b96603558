"""Images are immutable and of allowed registries: the tag is a version, and where required the digest is pinned."""

from collections.abc import Iterator

from components.errors import Problem
from delivery.policies.digest_settings import digest_fix
from delivery.policies.image_names import full_repository, is_below, tag
from delivery.policies.manifest import Manifest, Pod, model_pod, namespace_of, pod_of
from delivery.policies.stage import StageRules

_LATEST = "latest"
_DIGEST = "@sha256:"


def image_tag(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Every image has a tag or a digest, and the tag is not `latest`."""
    pod = pod_of(manifest)
    for name, image in _images(pod) if pod else ():
        found = tag(image)
        if found == _LATEST or (not found and _DIGEST not in image):
            why = "has the tag latest" if found else "has no tag, which means latest"
            yield Problem(f"the image {image} of {name} {why}", "name a version as the image's tag")


def image_digest(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Where the stage requires digests, every image in the models' namespaces is pinned by one."""
    pod = model_pod(manifest, stage) if stage.require_digest else None
    if pod is None:
        return
    for name, image in _images(pod):
        if _DIGEST not in image:
            yield Problem(
                f"the image {image} of {name} is not pinned by its digest",
                digest_fix(pod, name, tag(image)),
            )


def monitoring_digest(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Where the stage requires it, every image outside the models' namespaces is pinned by a digest."""
    pod = (
        pod_of(manifest) if stage.monitoring_digests and namespace_of(manifest) not in stage.serving else None
    )
    for name, image in _images(pod) if pod else ():
        if _DIGEST not in image:
            yield Problem(
                f"the image {image} of {name} is not pinned by its digest",
                'add its version and digest: "sha256:..." under ml-deployments:images, as the registry shows it',
            )


def allowed_registries(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Where the stage lists registries, every image is below one of them."""
    pod = pod_of(manifest) if stage.allowed_registries else None
    for name, image in _images(pod) if pod else ():
        repository = full_repository(image)
        if not any(is_below(repository, allowed) for allowed in stage.allowed_registries):
            yield Problem(
                f"the image {image} of {name} comes from {repository}, which is not below an allowed registry",
                f"use an image below {', '.join(stage.allowed_registries)}, or add {repository} to "
                "policy.allowedRegistries",
            )


def _images(pod: Pod) -> Iterator[tuple[str, str]]:
    """Its user and the image. A container without an image is skipped: the API server or the operator decides."""
    for container in (*pod.containers, *pod.patches):
        if container.get("image"):
            yield f"container {container['name']}", container["image"]
    for volume in pod.spec.get("volumes") or ():
        if reference := (volume.get("image") or {}).get("reference"):
            yield f"volume {volume['name']}", reference
