"""The canonical series into which every runtime's metrics are turned, and the PromQL that selects them.

Rules and dashboards know only these names. All have the labels `namespace` and `model`; those that begin with
`model_version` have `version` too. Rates are per second over 5 minutes, durations are in seconds.
"""

from collections.abc import Mapping
from functools import lru_cache

REQUESTS = "model_version:requests:rate5m"
ERRORS = "model_version:errors:rate5m"
# With the label `quantile`: 0.5, 0.95, 0.99.
DURATION_QUANTILE = "model_version:request_duration_seconds:quantile5m"
DURATION_MEAN = "model_version:request_duration_seconds:mean5m"
# Requests in progress or waiting, and the targets that answer scrapes.
LOAD = "model_version:requests_pending:sum"
REPLICAS_UP = "model_version:replicas_up:count"
# 1, with the version that the stack file names.
DESIRED_VERSION = "model:desired_version:info"
# With the label `slo`: availability or latency. The requests that count, and the bad ones among them.
SLO_REQUESTS = "model:slo_requests:rate5m"
SLO_ERRORS = "model:slo_errors:rate5m"
# The rates as counts of 2 minutes, a sample every 2 minutes: over days a request counts once, on average.
SLO_REQUESTS_COUNT = "model:slo_requests:increase2m"
SLO_ERRORS_COUNT = "model:slo_errors:increase2m"
# With the label `window`: 5m, 30m, 1h, 2h, 6h, 1d, 3d, 30d.
SLO_ERROR_RATIO = "model:slo_error:ratio"
SLO_OBJECTIVE = "model:slo_objective:ratio"
SLO_BUDGET_REMAINING = "model:slo_error_budget_remaining:ratio"

QUANTILES = ("0.5", "0.95", "0.99")


Labels = Mapping[str, str | tuple[str, ...]]


def picked(series: str, labels: Labels, *more: str) -> str:
    """A series with equality matchers, and further ones as they stand: `picked("up", {"job": "a"}, 'x!="b"')`.

    Several values of a label are alternatives of a pattern, so they must not contain what has a meaning there.
    """
    matchers = [_matcher(name, value) for name, value in labels.items()]
    matchers += filter(None, more)
    return f"{series}{{{','.join(matchers)}}}"


def _matcher(name: str, value: str | tuple[str, ...]) -> str:
    alternatives = (value,) if isinstance(value, str) else value
    return f'{name}{"=" if len(alternatives) == 1 else "=~"}"{escaped("|".join(alternatives))}"'


# A model's rules select by the same few labels a hundred times.
@lru_cache(maxsize=1024)
def escaped(value: str) -> str:
    """A label value inside the double quotes of PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
