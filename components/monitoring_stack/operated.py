"""The common fields of the two servers that prometheus-operator runs. Pure functions."""

from typing import Any

from components.kubernetes.pods import NODE, operated_pod_security, pull_secrets, spread
from components.monitoring_stack import names
from components.settings.images import ProgramImage
from components.settings.stack import StackSettings


def operated_spec(part: str, stack: StackSettings, image: ProgramImage, *, replicas: int) -> dict[str, Any]:
    """The fields of Prometheus' and Alertmanager's specs that say how their pods run."""
    return {
        "image": image.reference,
        "version": image.version,
        **pull_secrets(stack.images.image_pull_secrets),
        "replicas": replicas,
        "serviceAccountName": part,
        "securityContext": operated_pod_security(),
        "podMetadata": {"labels": names.operated_pod_labels(stack.stage)},
        "topologySpreadConstraints": [spread(names.operated_selector(part), NODE)],
    }
