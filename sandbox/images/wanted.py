"""The images of the sandbox: what the committed stages and a feature store deploy, under the names by which they do.

Grafana is not among them: its server has no Go module that builds with its user interface, so its pods need the real
image.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.errors import UserError
from components.files.sources import Sources
from components.settings.feature_store import FeatureStoreSettings
from components.settings.images import (
    AlertmanagerImage,
    KubeStateMetricsImage,
    PrometheusImage,
    RedisExporterImage,
    RedisImage,
)
from components.stack import load_stack
from delivery.http.addresses import is_loopback
from delivery.registries.images import split_repository
from sandbox.images import go_images
from sandbox.images.feature_images import FEAST_REQUIREMENTS, feast_image, redis_image
from sandbox.images.go_images import GoProgram, go_image
from sandbox.images.model_image import REPOSITORY, SHARES, example_image
from sandbox.images.oci import Image
from sandbox.images.push import push
from sandbox.tools.pins import tool_version
from sandbox.tools.redis import REDIS_VERSION

_RELOADER = "quay.io/prometheus-operator/prometheus-config-reloader"


@dataclass(frozen=True)
class Wanted:
    """An image that pods name.

    Attributes:
        reference: Its name in a pod, with the tag.
        contains: The version of what is in it. A tag may name another one: of a server that cannot be built here.
        build: Builds it, or reads it from the cache.
    """

    reference: str
    contains: str
    build: Callable[[], Image]


def wanted() -> tuple[Wanted, ...]:
    """Every image of the sandbox; nothing is built yet."""
    feast = _feast_version()
    repository = FeatureStoreSettings.model_fields["image"].default
    return (
        *(Wanted(f"{REPOSITORY}:{version}", version, partial(example_image, version)) for version in SHARES),
        _go(PrometheusImage().reference, go_images.PROMETHEUS),
        _go(AlertmanagerImage().reference, go_images.ALERTMANAGER),
        _go(KubeStateMetricsImage().reference, go_images.KUBE_STATE_METRICS),
        _go(
            f"{_RELOADER}:{tool_version(go_images.CONFIG_RELOADER.tool)}",
            go_images.CONFIG_RELOADER,
        ),
        Wanted(RedisImage().reference, REDIS_VERSION, redis_image),
        _go(RedisExporterImage().reference, go_images.REDIS_EXPORTER),
        Wanted(f"{repository}:{feast}", feast, partial(feast_image, feast)),
    )


def _go(reference: str, program: GoProgram) -> Wanted:
    return Wanted(reference, tool_version(program.tool), partial(go_image, program))


def _feast_version() -> str:
    found = re.search(
        r"^feast(?:\[\S+\])?==(\S+)", FEAST_REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise LookupError(f"{FEAST_REQUIREMENTS} does not pin Feast")
    return found[1]


def build_all() -> list[tuple[Wanted, Image]]:
    """Build what is not in the cache.

    Raises:
        UserError: one cannot be built on this machine.
    """
    return [(each, each.build()) for each in wanted()]


def push_all(address: str, images: Sequence[tuple[Wanted, Image]]) -> None:
    """Push images under the names by which a mirror of every registry is asked for them.

    A container runtime asks its mirror for `quay.io/prometheus/prometheus` as `prometheus/prometheus`.

    Args:
        address: The host and port of a registry on this machine, by plain HTTP.
        images: As `build_all` returns them.

    Raises:
        UserError: the registry is not on this machine, or does not answer.
    """
    if not is_loopback(address):
        raise UserError(
            f"{address} is not on this machine; nothing was pushed", "name a registry on 127.0.0.1"
        )
    for each, built in images:
        repository, _, tag = each.reference.rpartition(":")
        _, name = split_repository(repository)
        try:
            push(f"{address}/{name}:{tag}", built)
        except OSError as error:
            raise UserError(
                f"{each.reference} could not be pushed to {address}: {error}",
                "start the registry, then run the same command again",
            ) from None


def require_committed(checkout: Path, images: Sequence[tuple[Wanted, Image]]) -> None:
    """Refuse images that are not those that the committed stages pin.

    Raises:
        SettingsError: the stages' files have problems.
        UserError: an image has another digest than a stage pins, so a node would not find that stage's image.
    """
    digests = {each.reference: built.digest for each, built in images}
    sources = Sources.of(checkout)
    found = []
    for stage in sorted(sources.stages):
        for model in load_stack(sources, stage).settings.models:
            built = digests.get(f"{model.image}:{model.version}")
            if model.digest is not None and built is not None and model.digest != built:
                found.append(
                    f"  Pulumi.{stage}.yaml: {model.name} {model.version}: pinned {model.digest}, built {built}"
                )
    if found:
        raise UserError(
            "Images that were built on this machine are not those that the stages pin, so nodes would not find these",
            "after a change of the example or of what its image is made of, write the digest that was built here into "
            "the stage's file and the README; otherwise this machine trains another model: use simulated nodes, and "
            "report the processor",
            said="\n".join(found),
        )
