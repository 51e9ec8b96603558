"""What the Prometheus operator generated from a project's objects."""

import gzip
from base64 import b64decode
from typing import Any

import yaml

from sandbox.harness.clone import Clone
from sandbox.harness.waiting import eventually


def operator_config(project: Clone, namespace: str) -> dict[str, Any]:
    """The Prometheus configuration that the operator generated from our objects."""
    text = unpacked_secret(project, namespace, "prometheus-prometheus", "prometheus.yaml.gz")
    config: dict[str, Any] = yaml.safe_load(text)
    return config


def unpacked_secret(project: Clone, namespace: str, name: str, key: str) -> str:
    """A compressed value of a Secret, once the operator has written it."""
    command = ("kubectl", "get", "secret", name, f"--namespace={namespace}")
    eventually(lambda: project.run(*command, check=False).returncode == 0, 30, f"the operator writes {name}")
    data = project.get("secret", name, namespace=namespace)["data"]
    return gzip.decompress(b64decode(data[key])).decode()


def operator_rules(project: Clone, namespace: str) -> dict[str, str]:
    """The rule files that the operator generated from our PrometheusRules, by name."""
    found: dict[str, str] = {}
    for item in project.get("configmaps", namespace=namespace)["items"]:
        if item["metadata"]["name"].startswith("prometheus-prometheus-rulefiles"):
            found |= item.get("data", {})
    return found
