"""How models are watched: the settings of metrics, objectives, alerts and quality gauges, and of a stage's monitoring.

Field names are camelCase in the files. The figures' sources are named in components/slo.py and components/alerts.py.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.names import DnsLabel, HttpPath, LabelKey, LabelValue
from components.pod_settings import KeyReference, Port, Settings
from components.quantities import Duration, Objective, Quantity


class Severity(StrEnum):
    """How soon somebody must look: at once, in working hours, or when they look anyway."""

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
    GPU_MEMORY_HIGH = "ModelGpuMemoryHigh"
    DRIFT = "ModelDrift"
    DATA_QUALITY = "ModelDataQuality"
    STALE = "ModelStale"
    QUALITY_GAUGE_ABSENT = "ModelQualityGaugeAbsent"


# The alerts that compare a gauge with a number a model file may choose.
WITH_THRESHOLD = frozenset({AlertName.SATURATED, AlertName.GPU_MEMORY_HIGH})


def _number(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text):
        raise ValueError('must be a decimal number|write it like "0.05"')
    return text


def _positive(text: str) -> str:
    if Decimal(_number(text)) <= 0:
        raise ValueError('must be above zero|write it like "0.05"')
    return text


def _metric_name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text):
        raise ValueError(
            "must be the name of a Prometheus metric: letters, digits, '_' and ':'|write the name /metrics shows"
        )
    return text


def _label_name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", text) or text.startswith("__"):
        raise ValueError(
            "must be the name of a Prometheus label: letters, digits and '_'|write the name /metrics shows"
        )
    return text


Number = Annotated[str, AfterValidator(_number)]
PositiveNumber = Annotated[str, AfterValidator(_positive)]
MetricName = Annotated[str, AfterValidator(_metric_name)]
LabelName = Annotated[str, AfterValidator(_label_name)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class LatencyObjective(Settings):
    """So many percent of the requests are answered within the threshold, a bucket edge of the runtime's histogram."""

    objective: Objective
    threshold: Duration


class Slo(Settings):
    """Service level objectives over 30 days, as decimals in quotes."""

    availability: Objective | None = None
    latency: LatencyObjective | None = None
    minimum_requests: Annotated[int, Field(ge=0)] = 60
    """A burn-rate alert stays silent while its long window has fewer requests than this: the default is one a minute
    for the hour of the quickest alert. Slower traffic is still watched by the longer windows."""


class Metrics(Settings):
    """Where and how the server shows its metrics; what is left out is the runtime's own."""

    port: Port
    """Left out: the runtime's metrics port."""
    path: HttpPath
    """Left out: the runtime's metrics path."""
    served_model: Annotated[str, Field(min_length=1, pattern=r'^[^"\\\n]+$')] | None = None
    """The name the server itself gives the model in its metrics; left out, all of the server's models count."""
    latency_buckets: Annotated[tuple[Duration, ...], Field(min_length=1)] | None = None
    """The edges of the latency histogram, where the server was given others than the runtime's own."""


class AlertOverride(Settings):
    """What a model changes of one alert."""

    enabled: bool = True
    severity: Severity | None = None
    """Left out: the alert's own."""
    threshold: PositiveNumber | None = None
    """For ModelSaturated requests a replica, for ModelGpuMemoryHigh a fraction. Left out: the alert's own."""


class QualityKind(StrEnum):
    """What a quality gauge says of the model."""

    DRIFT = "drift"
    DATA_QUALITY = "dataQuality"
    STALENESS = "staleness"


class Direction(StrEnum):
    """On which side of the threshold a gauge is bad."""

    ABOVE = "above"
    BELOW = "below"


class QualityGauge(Settings):
    """A gauge that tells how good the model is, and when that is too bad.

    The gauge may come from the server or from a job; it is found by its name and labels in the stage's namespace.
    """

    metric: MetricName
    labels: dict[LabelName, Annotated[str, Field(pattern=r'^[^"\\\n]*$')]] = Field(default={})
    """Labels that single out the gauge of this model."""
    kind: QualityKind
    """drift, dataQuality, or staleness: the gauge is then a Unix time, and its age in seconds is compared."""
    threshold: Number
    direction: Direction | None = None
    """On which side of the threshold the gauge is bad; p-values are bad below. Not for staleness: too old is bad."""
    period: Duration = "30m"
    """How long it must be bad."""

    @model_validator(mode="after")
    def _check(self) -> "QualityGauge":
        if self.kind is QualityKind.STALENESS:
            if self.direction is not None:
                raise ValueError("staleness has no direction: too old is bad|remove direction")
            if Decimal(self.threshold) <= 0:
                raise ValueError(
                    f"a threshold of {self.threshold} s is no age|write the largest good age in seconds"
                )
        elif self.direction is None:
            raise ValueError(
                f"a {self.kind.value} gauge needs a direction: a high p-value is good, a high distance is bad"
                "|add direction: above or direction: below, the side that is bad"
            )
        return self


class MonitoringDelivery(StrEnum):
    """How rules and scrape targets reach Prometheus."""

    CONFIGMAP = "configmap"
    OPERATOR = "operator"
    NONE = "none"


class Receiver(Settings):
    """Where Alertmanager sends alerts: an address, or the key of an existing Secret that holds it."""

    owner: LabelValue | None = None
    """Only alerts of this owner; left out, all that no receiver of their owner takes."""
    severity: Severity | None = None
    """Only alerts of this severity; left out, all that no receiver of their severity takes."""
    webhook_url: Url | None = None
    """An address that is no secret."""
    webhook_url_secret: KeyReference | None = None
    """The address in a Secret of the monitoring namespace; Alertmanager is not set up before it is there."""

    @model_validator(mode="after")
    def _one(self) -> "Receiver":
        if (self.webhook_url is None) == (self.webhook_url_secret is None):
            raise ValueError("must name either webhookUrl or webhookUrlSecret|keep one of the two")
        if self.webhook_url is not None and "@" in urlsplit(self.webhook_url).netloc:
            raise ValueError(
                "webhookUrl holds a user or a password, and no secret is ever in git"
                "|put the address into a Secret and name it with webhookUrlSecret"
            )
        return self


class Storage(Settings):
    """The volume of Prometheus."""

    size: Quantity = "50Gi"
    storage_class: Annotated[str, Field(min_length=1)] | None = None
    """Left out: the cluster's default class."""


class MonitoringStackSettings(Settings):
    """Prometheus, Alertmanager and Grafana of the stage's own, for a cluster that has none."""

    install: bool = False
    """The monitoring namespace is then the stage's own, which nobody else may use; prometheus-operator must run."""
    retention: Annotated[str, Field(pattern=r"^[0-9]+d$")] = "35d"
    """How long Prometheus keeps its samples; the error budget needs 30 days."""
    storage: Storage | None = Storage()
    """null: Prometheus loses its samples with its pod."""
    receivers: tuple[Receiver, ...] = ()
    """Where alerts go. None: they are shown by Alertmanager alone."""

    @model_validator(mode="after")
    def _check(self) -> "MonitoringStackSettings":
        keys = [(receiver.owner, receiver.severity) for receiver in self.receivers]
        if len(set(keys)) != len(keys):
            raise ValueError(
                "two receivers have the same owner and severity|give each its own, or remove one"
            )
        if int(self.retention.removesuffix("d")) < 30:  # noqa: PLR2004
            raise ValueError(
                f"retention {self.retention} is below the 30 days of the error budget|write 30d or more"
            )
        return self


class Monitoring(Settings):
    """How the stage's models are watched."""

    namespace: DnsLabel = "monitoring"
    """Pods of this namespace may scrape the models."""
    delivery: MonitoringDelivery = MonitoringDelivery.CONFIGMAP
    """operator: ServiceMonitor and PrometheusRule. configmap: a rule file and scrape annotations. none: nothing."""
    selector_labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] | None = None
    """The labels by which the cluster's Prometheus selects monitors and rules; delivery: operator needs them."""
    runbook_url: Url | None = None
    """Where docs/runbooks/ can be read; left out, alerts name the path in the repository."""
    grafana_url: Url | None = None
    """Grafana's address, for links in alerts; left out, they name the path."""
    dashboard_labels: dict[LabelKey, LabelValue] = Field(default={"grafana_dashboard": "1"})
    """The labels by which Grafana's sidecar finds dashboards."""
    stack: MonitoringStackSettings = MonitoringStackSettings()

    @model_validator(mode="after")
    def _check(self) -> "Monitoring":
        if (
            self.delivery is MonitoringDelivery.OPERATOR
            and self.selector_labels is None
            and not self.stack.install
        ):
            raise ValueError(
                "delivery: operator needs selectorLabels; without the labels its Prometheus selects by, the operator "
                "passes monitors and rules over in silence|add selectorLabels: {release: kube-prometheus-stack}, "
                "with the labels of your Prometheus' ruleSelector and serviceMonitorSelector"
            )
        if self.stack.install and self.delivery is not MonitoringDelivery.OPERATOR:
            raise ValueError(
                f"stack.install needs delivery: operator, not {self.delivery.value}|write delivery: operator"
            )
        return self
