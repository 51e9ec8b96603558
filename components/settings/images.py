"""The images that the program brings, besides Feast's, which `featureStore` names.

This module is the only place that states them. They are pinned by tag. A digest is for the stack file: its owner sees
the registry that the cluster pulls from.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, model_validator

from components.settings.identifiers import Digest, ObjectName, Repository, Version
from components.settings.pod import Settings
from components.settings.wrong import wrong

_SEMANTIC = r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?"


def image_reference(repository: str, version: str, digest: str | None) -> str:
    """The image to run: repository, tag, and the digest where one is set."""
    tagged = f"{repository}:{version}"
    return tagged if digest is None else f"{tagged}@{digest}"


def _semantic(version: str) -> str:
    if not re.fullmatch(_SEMANTIC, version):
        raise wrong(
            "must be a version of three numbers, from which prometheus-operator knows what the server can do",
            'write it like "v1.2.3", and give the image that tag',
        )
    return version


SemanticVersion = Annotated[Version, AfterValidator(_semantic)]


class ProgramImage(Settings):
    """Where one image comes from. What is left out is the program's own."""

    image: Repository
    """The image's repository, without a tag."""
    version: Version
    """The image's tag, quoted."""
    digest: Digest | None = None
    """Pins the image's content; it needs the version that it belongs to."""

    @model_validator(mode="after")
    def _check(self) -> "ProgramImage":
        if self.digest is not None and "version" not in self.model_fields_set:
            raise wrong(
                "has a digest without its version, and would keep this image when the program names another version",
                f'add the version that the digest belongs to, like version: "{self.version}"',
            )
        return self

    @property
    def reference(self) -> str:
        """The image to run."""
        return image_reference(self.image, self.version, self.digest)


class RedisImage(ProgramImage):
    """Where Redis' image comes from."""

    image: Repository = "docker.io/library/redis"
    version: Version = "8.2.10"


class RedisExporterImage(ProgramImage):
    """Where the image of the exporter of Redis' metrics comes from."""

    image: Repository = "quay.io/oliver006/redis_exporter"
    version: Version = "v1.88.0"


class PrometheusImage(ProgramImage):
    """Where Prometheus' image comes from. Its line is the one that prometheus-operator 0.93 is tested with."""

    image: Repository = "quay.io/prometheus/prometheus"
    version: SemanticVersion = "v3.13.5"


class AlertmanagerImage(ProgramImage):
    """Where Alertmanager's image comes from.

    Its line is the one that prometheus-operator 0.93 is tested with; from 0.34 on, the operator must be 0.94 or later.
    """

    image: Repository = "quay.io/prometheus/alertmanager"
    version: SemanticVersion = "v0.33.1"


class GrafanaImage(ProgramImage):
    """Where Grafana's image comes from."""

    image: Repository = "docker.io/grafana/grafana"
    version: Version = "12.4.10"


class KubeStateMetricsImage(ProgramImage):
    """Where the image of kube-state-metrics comes from."""

    image: Repository = "registry.k8s.io/kube-state-metrics/kube-state-metrics"
    version: Version = "v2.19.1"


class Images(Settings):
    """The images that the program brings: another registry, another version, a digest. Feast's is in featureStore."""

    redis: RedisImage = RedisImage()
    redis_exporter: RedisExporterImage = RedisExporterImage()
    prometheus: PrometheusImage = PrometheusImage()
    alertmanager: AlertmanagerImage = AlertmanagerImage()
    grafana: GrafanaImage = GrafanaImage()
    kube_state_metrics: KubeStateMetricsImage = KubeStateMetricsImage()
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Existing Secrets with registry credentials, in the namespaces of the pods that use these images."""
