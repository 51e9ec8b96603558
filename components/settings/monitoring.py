"""How a stage is monitored: where rules and dashboards go, and whether it installs its own monitoring stack."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from components.settings.addresses import without_password
from components.settings.identifiers import LabelKey, LabelValue, Owner
from components.settings.namespaces import MonitoringNamespace, platform
from components.settings.network import Destination
from components.settings.pod import KeyReference, Settings
from components.settings.quantities import Quantity, quantity
from components.settings.watching import Severity
from components.settings.wrong import wrong

_SMALLEST_VOLUME = "1Gi"
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
ShownUrl = Annotated[Url, without_password("remove it; everyone who gets an alert sees the address")]
WebhookUrl = Annotated[
    Url, without_password("put the address into a Secret, and name it with webhookUrlSecret instead")
]


class MonitoringDelivery(StrEnum):
    """How rules and scrape targets reach Prometheus."""

    CONFIGMAP = "configmap"
    OPERATOR = "operator"
    NONE = "none"


class Receiver(Settings):
    """Where Alertmanager sends alerts: an address, or the key of an existing Secret that contains it."""

    owner: Owner | None = None
    """Only alerts of this owner. Default: all alerts without a receiver for their owner."""
    severity: Severity | None = None
    """Only alerts of this severity. Default: all alerts without a receiver for their severity."""
    webhook_url: WebhookUrl | None = None
    """An address that is not secret."""
    webhook_url_secret: KeyReference | None = None
    """The address in a Secret of the monitoring namespace; Alertmanager is not set up before it exists."""

    @model_validator(mode="after")
    def _one(self) -> "Receiver":
        if (self.webhook_url is None) == (self.webhook_url_secret is None):
            raise wrong("must name either webhookUrl or webhookUrlSecret", "write one of the two")
        return self


class Storage(Settings):
    """The volume of Prometheus."""

    size: Quantity = "50Gi"
    storage_class: Annotated[str, Field(min_length=1)] | None = None
    """Default: the cluster's default class."""

    @model_validator(mode="after")
    def _check(self) -> "Storage":
        if quantity(self.size) < quantity(_SMALLEST_VOLUME):
            raise wrong(f"size {self.size} is below {_SMALLEST_VOLUME}", "write it like 50Gi")
        return self


class StackNetwork(Settings):
    """What the monitoring stack connects to outside the stage; only you know these addresses."""

    api_server: tuple[Destination, ...] = ()
    """The API server, as pods reach it. Default: any address at the ports 443 and 6443."""
    nodes: tuple[Destination, ...] = ()
    """The kubelets. Default: any address at the port 10250."""
    receivers: tuple[Destination, ...] = ()
    """What `receivers` name. Default: any address and port; nothing where there are no receivers."""


class MonitoringStackSettings(Settings):
    """The stage's own Prometheus, Alertmanager and Grafana, for a cluster that has none."""

    install: bool = False
    """The monitoring namespace is then the stage's own, and nothing else may use it; prometheus-operator must run."""
    retention: Annotated[str, Field(pattern=r"^[0-9]+d$")] = "35d"
    """How long Prometheus keeps its samples; the error budget needs 30 days."""
    storage: Storage | None = Storage()
    """null: Prometheus loses its samples with its pod, and keeps at most 20Gi on the node's disk."""
    receivers: tuple[Receiver, ...] = ()
    """Where alerts go. None: only Alertmanager shows them."""
    network: StackNetwork = StackNetwork()

    @model_validator(mode="after")
    def _check(self) -> "MonitoringStackSettings":
        keys = [(receiver.owner, receiver.severity) for receiver in self.receivers]
        if len(set(keys)) != len(keys):
            raise wrong("two receivers have the same owner and severity", "give each its own, or remove one")
        idle = sorted(self.model_fields_set - {"install"})
        if idle and not self.install:
            raise wrong(
                f"{', '.join(idle)} has no effect without install: true", "add install: true, or remove it"
            )
        if int(self.retention.removesuffix("d")) < 30:  # noqa: PLR2004
            raise wrong(
                f"retention {self.retention} is below the 30 days of the error budget", "write 30d or more"
            )
        return self


class Monitoring(Settings):
    """How the stage's models are watched."""

    namespace: MonitoringNamespace = "monitoring"
    """Pods of this namespace may scrape the models."""
    delivery: MonitoringDelivery = MonitoringDelivery.CONFIGMAP
    """operator: ServiceMonitor and PrometheusRule. configmap: a rule file and scrape annotations. none: nothing."""
    selector_labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] | None = None
    """The labels by which the cluster's Prometheus selects monitors and rules; required with delivery: operator."""
    runbook_url: ShownUrl | None = None
    """The address of docs/runbooks/. Default: alerts have the path in the repository."""
    grafana_url: ShownUrl | None = None
    """Grafana's address, for links in alerts. Default: they have only the path."""
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
            raise wrong(
                "delivery: operator needs selectorLabels; without the labels by which its Prometheus selects, the "
                "operator silently ignores monitors and rules",
                "add selectorLabels: {release: kube-prometheus-stack}, "
                "with the labels of your Prometheus' ruleSelector and serviceMonitorSelector",
            )
        if self.stack.install and self.delivery is not MonitoringDelivery.OPERATOR:
            raise wrong(
                f"stack.install needs delivery: operator, not {self.delivery.value}",
                "write delivery: operator",
            )
        if self.stack.install and "namespace" not in self.model_fields_set:
            raise wrong(
                "stack.install needs its own namespace: the stack creates and removes it",
                "add namespace: <stage>-monitoring",
            )
        if self.stack.install and (owner := platform(self.namespace)) is not None:
            raise wrong(
                f"namespace {self.namespace} belongs to {owner}, and stack.install needs its own",
                "write namespace: <stage>-monitoring",
            )
        return self
