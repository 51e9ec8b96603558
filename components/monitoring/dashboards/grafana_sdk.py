"""The parts of Grafana's SDK that the dashboards use, imported in one place.

Its builders of classic dashboards warn that a newer schema exists. Grafana reads classic ones from files and from its
sidecar, so this one warning is ignored here, and no other.
"""

import json
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Prefer using dashboardv2", category=DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        bargauge,
        common,
        dashboard,
        prometheus,
        stat,
        statetimeline,
        table,
        text,
        timeseries,
    )
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as common_models
    from grafana_foundation_sdk.models import dashboard as models
    from grafana_foundation_sdk.models import prometheus as prometheus_models
    from grafana_foundation_sdk.models import text as text_models
    from grafana_foundation_sdk.models import units

__all__ = [
    "Builder",
    "JSONEncoder",
    "Json",
    "bargauge",
    "common",
    "common_models",
    "dashboard",
    "models",
    "plain",
    "prometheus",
    "prometheus_models",
    "stat",
    "statetimeline",
    "table",
    "text",
    "text_models",
    "timeseries",
    "units",
]

# What the SDK builds, as it is written into a file.
Json = dict[str, Any]


def plain(built: Builder[Any]) -> Json:
    """The result of a builder of the SDK, as plain data."""
    found: Json = json.loads(JSONEncoder().encode(built.build()))
    return found
