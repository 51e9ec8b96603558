"""What the dashboards use of Grafana's SDK, imported in one place.

Its builders of classic dashboards warn that a newer schema exists. Classic ones are what Grafana reads from files and
what its sidecar hands it, so that one warning is left out here, and no other.
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

# What the SDK makes, as it is written into a file.
Json = dict[str, Any]


def plain(built: Builder[Any]) -> Json:
    """What a builder of the SDK makes, as plain data."""
    found: Json = json.loads(JSONEncoder().encode(built.build()))
    return found
