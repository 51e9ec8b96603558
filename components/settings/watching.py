"""How a model is watched: the settings of its metrics, objectives, alerts and gauges of quality.

Field names are camelCase in the files. components/monitoring/slo.py and components/monitoring/alerts/model.py name the
sources of the figures.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from components.settings.identifiers import HttpPath
from components.settings.pod import Port, Settings
from components.settings.quantities import Duration, Objective
from components.settings.wrong import wrong


class Severity(StrEnum):
    """How soon someone must look: at once, in working hours, or at the next look."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class AlertName(StrEnum):
    """The alerts a model can have; each has a page of its name in docs/runbooks/."""

    AVAILABILITY_BUDGET_BURN = "ModelAvailabilityBudgetBurn"
    LATENCY_BUDGET_BURN = "ModelLatencyBudgetBurn"
    ABSENT = "ModelAbsent"
    NO_TRAFFIC = "ModelNoTraffic"
    TARGET_DOWN = "ModelTargetDown"
    CRASH_LOOPING = "ModelCrashLooping"
    OUT_OF_MEMORY_KILLED = "ModelOutOfMemoryKilled"
    LOAD_FAILED = "ModelLoadFailed"
    NOT_READY = "ModelNotReady"
    REPLICAS_BELOW_DESIRED = "ModelReplicasBelowDesired"
    ROLLOUT_STUCK = "ModelRolloutStuck"
    VERSION_MISMATCH = "ModelVersionMismatch"
    SATURATED = "ModelSaturated"
    AUTOSCALER_AT_MAXIMUM = "ModelAutoscalerAtMaximum"
    KUBERNETES_STATE_ABSENT = "ModelKubernetesStateAbsent"
    GPU_MEMORY_HIGH = "ModelGpuMemoryHigh"
    DRIFT = "ModelDrift"
    DATA_QUALITY = "ModelDataQuality"
    STALE = "ModelStale"
    QUALITY_GAUGE_ABSENT = "ModelQualityGaugeAbsent"


# The alerts that compare a gauge with a number a model file may choose.
WITH_THRESHOLD = frozenset({AlertName.SATURATED, AlertName.GPU_MEMORY_HIGH})


def _number(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text):
        raise wrong("must be a decimal number", 'write it like "0.05"')
    return text


def _positive(text: str) -> str:
    if Decimal(_number(text)) <= 0:
        raise wrong("must be above zero", 'write it like "0.05"')
    return text


def _metric_name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text):
        raise wrong(
            "must be the name of a Prometheus metric: letters, digits, '_' and ':'",
            "write the name that /metrics shows",
        )
    return text


def _label_name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", text) or text.startswith("__"):
        raise wrong(
            "must be the name of a Prometheus label: letters, digits and '_'",
            "write the name that /metrics shows",
        )
    return text


def _without_query(path: str) -> str:
    if "?" in path:
        raise wrong("has a '?', which Prometheus sends as a part of the path", "name a path without a query")
    return path


Number = Annotated[str, AfterValidator(_number)]
PositiveNumber = Annotated[str, AfterValidator(_positive)]
MetricName = Annotated[str, AfterValidator(_metric_name)]
LabelName = Annotated[str, AfterValidator(_label_name)]


class LatencyObjective(Settings):
    """The percentage of requests to answer within the threshold, a bucket boundary of the runtime's histogram."""

    objective: Objective
    threshold: Duration


class Slo(Settings):
    """Service level objectives over 30 days, as decimals in quotes."""

    availability: Objective | None = None
    latency: LatencyObjective | None = None
    minimum_requests: Annotated[int, Field(ge=0)] = 60
    """A burn-rate alert stays silent while its long window has fewer requests than this. The default is one a minute
    for the hour of the fastest alert; the longer windows still watch lower traffic."""


class Metrics(Settings):
    """Where and how the server exposes its metrics. Defaults: the runtime's own."""

    enabled: bool = True
    """false: the server has none, so only what Kubernetes says of it is watched."""
    port: Port
    """Default: the runtime's metrics port."""
    path: Annotated[HttpPath, AfterValidator(_without_query)]
    """Default: the runtime's metrics path."""
    served_model: Annotated[str, Field(min_length=1, pattern=r'^[^"\\\n]+$')] | None = None
    """The model's name in the server's own metrics. Default: all models of the server count."""
    latency_buckets: Annotated[tuple[Duration, ...], Field(min_length=1)] | None = None
    """The bucket boundaries of the latency histogram, where they differ from the runtime's own."""


class AlertOverride(Settings):
    """What a model changes of one alert."""

    enabled: bool = True
    severity: Severity | None = None
    """Default: the alert's own severity."""
    threshold: PositiveNumber | None = None
    """For ModelSaturated requests per replica, for ModelGpuMemoryHigh a fraction. Default: the alert's own."""


class QualityKind(StrEnum):
    """What a quality gauge measures."""

    DRIFT = "drift"
    DATA_QUALITY = "dataQuality"
    STALENESS = "staleness"


class Direction(StrEnum):
    """The side of the threshold on which a gauge is bad."""

    ABOVE = "above"
    BELOW = "below"


class QualityGauge(Settings):
    """A gauge of the model's quality, and the threshold from which it is bad.

    The gauge may come from the server or from a job; it is found by its name and labels in the stage's namespace.
    """

    metric: MetricName
    labels: dict[LabelName, Annotated[str, Field(pattern=r'^[^"\\\n]*$')]] = Field(default={})
    """Labels that select the gauge of this model."""
    kind: QualityKind
    """drift, dataQuality, or staleness: the gauge is then a Unix time, and its age in seconds is compared."""
    threshold: Number
    direction: Direction | None = None
    """The side of the threshold that is bad; p-values are bad below. Not for staleness: too old is bad."""
    period: Duration = "30m"
    """How long it must be bad before the alert fires."""

    @model_validator(mode="after")
    def _check(self) -> "QualityGauge":
        if self.kind is QualityKind.STALENESS:
            if self.direction is not None:
                raise wrong("staleness has no direction: too old is bad", "remove direction")
            if Decimal(self.threshold) <= 0:
                raise wrong(
                    f"a threshold of {self.threshold} s is not an age",
                    "write the largest acceptable age in seconds",
                )
        elif self.direction is None:
            raise wrong(
                f"a {self.kind.value} gauge needs a direction: a high p-value is good, a high distance is bad",
                "add direction: above or direction: below, the side that is bad",
            )
        return self
