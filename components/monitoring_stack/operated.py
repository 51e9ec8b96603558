"""The common fields of the two servers that prometheus-operator runs. Pure functions."""

from typing import Any

from components.kubernetes.pods import NODE, operated_pod_security, spread
from components.monitoring_stack import names


def operated_spec(part: str, stage: str, *, replicas: int) -> dict[str, Any]:
    """The fields of Prometheus' and Alertmanager's specs that say how their pods run."""
    return {
        "replicas": replicas,
        "serviceAccountName": part,
        "securityContext": operated_pod_security(),
        "podMetadata": {"labels": names.operated_pod_labels(stage)},
        "topologySpreadConstraints": [spread(names.operated_selector(part), NODE)],
    }
