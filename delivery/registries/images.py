"""Asks an OCI registry for the digest of an image's tag, and whether a node could run what is there."""

import hashlib
from collections.abc import Mapping

import docker.auth  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]

from delivery.http.addresses import is_loopback
from delivery.http.client import Client, HttpError, NotTlsError, UnreachableError
from delivery.http.deadline import within
from delivery.http.documents import read_document
from delivery.registries.artifacts import MANIFESTS, Manifest, Platform, fitting, named_platforms
from delivery.registries.docker_credentials import HUB
from delivery.registries.errors import NotFound, RegistryError, Unavailable
from delivery.registries.image_registry import HUB_HOST, ImageRegistry

# For everything that is asked about one image: its manifests, its configuration, and the login.
SECONDS = 20.0
AMD64 = "linux/amd64"
# An index in an index is allowed, and further levels are not used by anything that builds images.
_MOST_LEVELS = 3
# Entries of an index that do not say their platform, so that each has to be asked for.
_MOST_UNSAID = 4


class _UnfitError(RegistryError):
    """An image for another platform."""


def image_digest(repository: str, tag: str, platform: str = AMD64, seconds: float = SECONDS) -> str:
    """The digest that a tag has now, like `sha256:...`; for a multi-platform image, that of its index.

    Credentials come from the user's Docker configuration, with its credential helpers.

    Args:
        repository: With its host, or on Docker Hub.
        tag: The image's tag.
        platform: What the image has to run on, as operating system and architecture.
        seconds: How long the registry may take for all answers together.

    Raises:
        RegistryError: there is no such tag, it is not an image or not one for the platform, the registry asks for other
            credentials, or it cannot be reached.
    """
    try:
        host, name = split_repository(repository)
    except docker.errors.InvalidRepository as error:
        raise RegistryError(
            f"{repository} names no registry ({error})", "correct the model's image"
        ) from None
    client = Client(seconds)

    def ask() -> str:
        try:
            return _digest(ImageRegistry(client, host, name), tag, platform)
        except NotTlsError:
            # A registry on this machine may use plain HTTP; one whose certificate is refused may not.
            if not is_loopback(host):
                raise
            return _digest(ImageRegistry(client, host, name, plain=True), tag, platform)

    try:
        return within(seconds, ask)
    except TimeoutError:
        late = client.late(host)
        raise Unavailable(late.reason, late.fix) from None
    except UnreachableError as error:
        raise Unavailable(error.reason, "correct the image's host, or start the registry") from None
    except HttpError as error:
        raise Unavailable(error.reason, error.fix) from None


def needed_platform(node_selector: Mapping[str, str]) -> str:
    """What a pod's node has, as operating system and architecture.

    A pod that does not say is held to linux/amd64: it may be put on any node, and most clusters have such nodes.
    """
    system = node_selector.get("kubernetes.io/os", "linux")
    return f"{system}/{node_selector.get('kubernetes.io/arch', 'amd64')}"


def split_repository(repository: str) -> tuple[str, str]:
    """The registry's host and the name there: `team/model` is on Docker Hub, `registry.example.com/model` is not."""
    index, name = docker.auth.resolve_repository_name(repository)
    if index != HUB:
        return index, name
    return HUB_HOST, name if "/" in name else f"library/{name}"


def _digest(registry: ImageRegistry, tag: str, platform: str) -> str:
    try:
        manifest, digest = _manifest(registry, tag)
    except NotFound:
        raise NotFound(
            f"{registry.host} has no image {registry.name}:{tag}",
            "push it, or correct the image or the version",
        ) from None
    _require(registry, manifest, platform, f"{registry.host}/{registry.name}:{tag}", _MOST_LEVELS)
    return digest


def _manifest(registry: ImageRegistry, reference: str) -> tuple[Manifest, str]:
    """A manifest and the digest of its bytes."""
    answer = registry.get(f"manifests/{reference}", MANIFESTS)
    digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    said = answer.headers.get("docker-content-digest", digest)
    if said.startswith("sha256:") and said != digest:
        raise registry.odd(f"it says that the digest of {reference} is {said[:80]}, and sends {digest}")
    _refuse_other(registry, answer.body, reference)
    try:
        return read_document(Manifest, answer.body), digest
    except ValueError as error:
        raise registry.odd(f"the manifest of {reference}: {error}") from None


def _refuse_other(registry: ImageRegistry, body: bytes, reference: str) -> None:
    """What is asked for by its digest has to have it."""
    method, _, wanted = reference.partition(":")
    if wanted and hashlib.new(method, body).hexdigest() != wanted:
        raise registry.odd(f"{reference} has another content")


def _require(registry: ImageRegistry, manifest: Manifest, platform: str, what: str, levels: int) -> None:
    """Refuse what a node of the platform could not run; `what` is how the message begins."""
    other = manifest.why_not_an_image()
    if other is not None:
        raise RegistryError(
            f"{what} is not an image: it is {other}", "correct the image or the version to the model's server"
        )
    if manifest.config is not None:
        found = _configured(registry, manifest.config.digest)
        if found == platform:
            return
        raise _UnfitError(f"{what} is for {found}, and the model needs {platform}", _build_for(platform))
    entries = manifest.manifests or []
    for entry in fitting(entries, platform)[:_MOST_UNSAID] if levels > 1 else ():
        named = f"{what} names {entry.digest[:19]} for {entry.platform or 'no platform'}, which"
        try:
            below, _ = _manifest(registry, entry.digest)
        except NotFound:
            raise RegistryError(f"{named} {registry.host} does not have", "push the image again") from None
        try:
            _require(registry, below, platform, named, levels - 1)
        except _UnfitError:
            if entry.platform is not None:
                raise
        else:
            return
    raise _UnfitError(
        f"{what} has no image for {platform}; it has: {named_platforms(entries)}", _build_for(platform)
    )


def _build_for(platform: str) -> str:
    return f"build it for {platform}, or say what it is for with nodeSelector: {{kubernetes.io/arch: ...}}"


def _configured(registry: ImageRegistry, digest: str) -> str:
    """The platform in an image's configuration."""
    try:
        body = registry.get(f"blobs/{digest}", "*/*").body
    except NotFound:
        raise RegistryError(
            f"{registry.host} has an image {registry.name} whose configuration {digest[:19]} is gone",
            "push the image again",
        ) from None
    _refuse_other(registry, body, digest)
    try:
        return str(read_document(Platform, body))
    except ValueError as error:
        raise registry.odd(f"the configuration {digest[:19]}: {error}") from None
