"""What the two servers that prometheus-operator runs have in common. Pure functions."""

from typing import Any

from components.kubernetes.pod_security import operated_pod_security
from components.monitoring_stack import names
from components.serving.pod import NODE


def operated_spec(part: str, stage: str, *, replicas: int) -> dict[str, Any]:
    """The fields of Prometheus' and Alertmanager's specs that say how their pods run."""
    return {
        "replicas": replicas,
        "serviceAccountName": part,
        "securityContext": operated_pod_security(),
        "podMetadata": {"labels": names.operated_pod_labels(stage)},
        "topologySpreadConstraints": [
            {
                "topologyKey": NODE,
                "maxSkew": 1,
                # A cluster of one node must still be watched.
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": names.operated_selector(part)},
            }
        ],
    }
