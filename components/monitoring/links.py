"""Where alerts and dashboards point: runbooks and dashboards. Pure functions."""

import hashlib
from enum import StrEnum

from components.settings.monitoring import Monitoring

_LONGEST_UID = 40
_HASH = 8
RUNBOOKS = "docs/runbooks"


def runbook_url(monitoring: Monitoring, alert: StrEnum) -> str:
    """The alert's runbook; its path in the repository where the stack names no address."""
    base = (monitoring.runbook_url or RUNBOOKS).rstrip("/")
    return f"{base}/{alert.value}.md"


def dashboard_uid(stage: str, model: str | None = None) -> str:
    """The identifier of a model's dashboard, or of the stage's: at most the 40 characters that Grafana accepts.

    No stage and no model has an underscore in its name, so no two of them share an identifier.
    """
    return _uid(f"fleet_{stage}" if model is None else f"model_{stage}_{model}")


def features_dashboard_uid(stage: str) -> str:
    """The identifier of the dashboard of a stage's feature store."""
    return _uid(f"features_{stage}")


def _uid(name: str) -> str:
    if len(name) <= _LONGEST_UID:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: _LONGEST_UID - _HASH - 1]}-{digest}"


def dashboard_url(monitoring: Monitoring, stage: str, model: str) -> str:
    """The dashboard's address; only its path where the stack names no Grafana."""
    return f"{(monitoring.grafana_url or '').rstrip('/')}{dashboard_path(stage, model)}"


def features_dashboard_url(monitoring: Monitoring, stage: str) -> str:
    """The address of the dashboard of a stage's feature store; only its path where the stack names no Grafana."""
    return f"{(monitoring.grafana_url or '').rstrip('/')}/d/{features_dashboard_uid(stage)}"


def dashboard_path(stage: str, model: str | None = None) -> str:
    """The dashboard's path, by which dashboards link to each other in any Grafana."""
    return f"/d/{dashboard_uid(stage, model)}"
