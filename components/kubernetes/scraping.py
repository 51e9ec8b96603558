"""How Prometheus finds what it scrapes. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.kubernetes.objects import Manifest

METRICS_PATH = "/metrics"


def scrape_annotations(port: int, path: str = METRICS_PATH) -> dict[str, str]:
    """The pod annotations that common scrape configurations of Prometheus use."""
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": path,
    }


def service_monitor_spec(
    selector: Manifest, endpoint: Mapping[str, Any], *, pod_labels: Sequence[str] = ()
) -> Manifest:
    """The ServiceMonitor's spec.

    Args:
        selector: The selector of the Services.
        endpoint: Their port, and how it is scraped.
        pod_labels: The pods' labels that become labels of every series.
    """
    return {
        "selector": {"matchLabels": selector},
        **({"podTargetLabels": list(pod_labels)} if pod_labels else {}),
        "endpoints": [dict(endpoint)],
    }
