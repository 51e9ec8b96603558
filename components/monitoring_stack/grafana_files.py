"""Grafana's provisioning files: its data source and the folder of its dashboards. Pure functions."""

import hashlib
import json

from components.files.yaml_text import dump
from components.monitoring.recording_rules import INTERVAL
from components.monitoring_stack import names

# Dashboards may name the data source by it, so it never changes.
DATASOURCE_UID = "prometheus"
DASHBOARDS_FOLDER = "/etc/grafana/dashboards"
PROVISIONING_FOLDER = "/etc/grafana/provisioning"


def provisioning(monitoring_namespace: str) -> dict[str, dict[str, str]]:
    """The files of each folder that Grafana reads at its start."""
    return {
        "datasources": {"datasources.yaml": _datasources(monitoring_namespace)},
        "dashboards": {"providers.yaml": _providers()},
    }


def checksum(files: dict[str, dict[str, str]]) -> str:
    """A checksum of the files, so that Grafana restarts when they change; it reads them only at its start."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _datasources(monitoring_namespace: str) -> str:
    return dump(
        {
            "apiVersion": 1,
            "datasources": [
                {
                    "name": "Prometheus",
                    "type": "prometheus",
                    "uid": DATASOURCE_UID,
                    "access": "proxy",
                    "url": f"http://{names.PROMETHEUS_SERVICE}.{monitoring_namespace}.svc:{names.PROMETHEUS_PORT}",
                    "isDefault": True,
                    "editable": False,
                    # Steps shorter than the scrape interval would show gaps.
                    "jsonData": {"httpMethod": "POST", "timeInterval": INTERVAL},
                }
            ],
        }
    )


def _providers() -> str:
    return dump(
        {
            "apiVersion": 1,
            "providers": [
                {
                    "name": "ml-deployments",
                    "type": "file",
                    "allowUiUpdates": False,
                    # A dashboard whose file was removed is removed, too.
                    "disableDeletion": False,
                    "updateIntervalSeconds": 30,
                    "options": {"path": DASHBOARDS_FOLDER},
                }
            ],
        }
    )
