"""How Prometheus reads the kubelets' metrics of the models' containers. Pure functions."""

from collections.abc import Sequence
from typing import Any

from components.monitoring.recording_rules import INTERVAL

JOB = "cadvisor"
SCRAPE_CLASS = "kubelet"
SERIES = (
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
)
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def scrape_class() -> dict[str, Any]:
    """How Prometheus authenticates to the kubelets.

    A ScrapeConfig cannot name files; a scrape class can, and the token is only in a file. The kubelet's certificate is
    verified; otherwise anything that answers in its place would get the token.
    """
    return {
        "name": SCRAPE_CLASS,
        "authorization": {"type": "Bearer", "credentialsFile": f"{_ACCOUNT}/token"},
        "tlsConfig": {"caFile": f"{_ACCOUNT}/ca.crt"},
    }


def scrape_config_spec(namespaces: Sequence[str]) -> dict[str, Any]:
    """The ScrapeConfig's spec: from each node, the few series of the models' namespaces that dashboards show."""
    return {
        "jobName": JOB,
        "scrapeClass": SCRAPE_CLASS,
        "kubernetesSDConfigs": [{"role": "Node"}],
        "scheme": "HTTPS",
        "metricsPath": "/metrics/cadvisor",
        "scrapeInterval": INTERVAL,
        # The kubelet sends its own timestamps; series with these become stale late unless staleness is tracked.
        "trackTimestampsStaleness": True,
        "relabelings": [{"sourceLabels": ["__meta_kubernetes_node_name"], "targetLabel": "node"}],
        "metricRelabelings": [
            {"action": "keep", "sourceLabels": ["__name__"], "regex": "|".join(SERIES)},
            {"action": "keep", "sourceLabels": ["namespace"], "regex": "|".join(namespaces)},
        ],
    }
