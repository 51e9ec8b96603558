"""Stages with dashboards, and what tests read from them."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import promql_parser

from components.dashboards import dashboard_files
from components.files.sources import Sources
from components.monitoring import links
from components.monitoring.dashboards.grafana_sdk import units
from components.settings.stack import StackSettings
from components.stack import load_stack
from tests.support.projects import MODEL, project

FULL = (
    MODEL.replace("limits: {cpu", 'limits: {nvidia.com/gpu: "1", cpu')
    + """\
rollout: {maxSurge: 1}
slo: {availability: "99.9", latency: {objective: "99", threshold: 0.5s}}
quality:
  distance: {metric: drift_distance, kind: drift, threshold: "0.2", direction: above}
  p-value: {metric: drift_p_value, labels: {job: drift}, kind: drift, threshold: "0.05", direction: below}
  trained: {metric: trained_at_seconds, kind: staleness, threshold: "604800"}
"""
)
STACK = """\
config:
  ml-deployments:namespace: ml-test
  ml-deployments:models:
    a: {version: "v1", replicas: 2}
    fleet: {version: "v1", replicas: 2}
    with-a-name-as-long-as-names-of-models-can-be-in-kubernetes-one: {version: "v1", replicas: 2}
    with-a-name-as-long-as-names-of-models-can-be-in-kubernetes-two: {version: "v1", replicas: 2}
"""
LONG = "with-a-name-as-long-as-names-of-models-can-be-in-kubernetes"
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
RATED = re.compile(r'(rate|increase)\(\w+\{(?:[^"}]|"[^"]*")*\}\[\$__rate_interval\]\)')


def a_project(folder: Path) -> Path:
    return project(folder, STACK, **{"a": FULL, "fleet": FULL, f"{LONG}-one": MODEL, f"{LONG}-two": MODEL})


def a_stage(folder: Path) -> StackSettings:
    """The settings of the project's stage."""
    return load_stack(Sources.of(a_project(folder)), "test").settings


def changed(stack: StackSettings, **fields: Any) -> StackSettings:
    """The stage with its first model changed, and no other model."""
    return stack.model_copy(update={"models": (stack.models[0].model_copy(update=fields),)})


def files(stack: StackSettings) -> dict[str, dict[str, Any]]:
    return {file.uid: json.loads(file.text) for file in dashboard_files(stack)}


def dashboard(stack: StackSettings) -> dict[str, Any]:
    """The dashboard of the first model."""
    return files(stack)[links.dashboard_uid(stack.stage, stack.models[0].name)]


def panels(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {panel["title"]: panel for panel in found["panels"] if panel["type"] != "row"}


def asking(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels that query Prometheus: all except texts."""
    return [panel for panel in found["panels"] if panel["type"] not in ("row", "text")]


def queries(found: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in asking(found) for target in panel["targets"]]


def drawn(panel: dict[str, Any]) -> list[Decimal]:
    """The thresholds that a panel draws as lines."""
    if panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "off":
        return []
    return steps(panel)


def steps(panel: dict[str, Any]) -> list[Decimal]:
    found = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert found[0]["value"] is None
    return [Decimal(str(step["value"])) for step in found[1:]]


def parsed(expression: str) -> promql_parser.Expr:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m").replace("$version", "v1"))
