"""The settings of one model, as in `models/<model>.yaml` and its entry in a stack file.

Only this module and components/settings/pod.py define defaults.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from components.runtimes.table import Runtime
from components.settings.container_path import TOKEN
from components.settings.identifiers import (
    Digest,
    DnsLabel,
    EnvName,
    LabelKey,
    LabelValue,
    ObjectName,
    Owner,
    Repository,
    Version,
)
from components.settings.images import image_reference
from components.settings.namespaces import PodSecurity, StageNamespace
from components.settings.network import Network
from components.settings.pod import (
    EnvSource,
    EnvValue,
    Mounts,
    Port,
    PositiveSeconds,
    Probes,
    Resources,
    Seconds,
    Security,
    Settings,
    Spread,
    Toleration,
    out_of_order,
)
from components.settings.registries import Gate, RegisteredModel
from components.settings.watching import AlertName, AlertOverride, Metrics, QualityGauge, Slo
from components.settings.wrong import refuse, wrong

# The program sets these, so that a server knows its name and version, unless the files do.
MODEL_NAME, MODEL_VERSION = "MODEL_NAME", "MODEL_VERSION"
PROGRAM_ENV = (MODEL_NAME, MODEL_VERSION)
# The program alone sets these, so that a server finds the features of its stage.
FEATURE_STORE_URL, FEATURE_SERVICE = "FEATURE_STORE_URL", "FEATURE_SERVICE"
RESERVED_ENV = (FEATURE_STORE_URL, FEATURE_SERVICE)


class Rollout(Settings):
    """How one version replaces another."""

    max_unavailable: Annotated[int, Field(ge=0)] = 0
    """Replicas that may be missing during a rollout."""
    max_surge: Annotated[int, Field(ge=0)] = 1
    """Replicas that may run in addition to the desired ones."""
    progress_deadline_seconds: PositiveSeconds = 900
    """A rollout without progress for this long has failed."""
    timeout_seconds: PositiveSeconds | None = None
    """`pulumi up` waits this long. Default: the progress deadline plus a minute for each replica."""

    @model_validator(mode="after")
    def _check(self) -> "Rollout":
        if self.max_unavailable == 0 and self.max_surge == 0:
            raise wrong(
                "maxUnavailable and maxSurge are both 0, so nothing can roll",
                "set maxUnavailable: 1 to stop a replica first, or maxSurge: 1 to start one first",
            )
        if self.timeout_seconds is not None and self.timeout_seconds <= self.progress_deadline_seconds:
            raise wrong(
                f"timeoutSeconds ({self.timeout_seconds}) must be above progressDeadlineSeconds "
                f"({self.progress_deadline_seconds}), which names the reason",
                "raise it, or leave it out",
            )
        return self


class Shutdown(Settings):
    """How a replica shuts down without losing requests."""

    pre_stop_sleep_seconds: Seconds = 15
    """A replica keeps serving this long after it is removed from the Service's endpoints."""
    grace_period_seconds: PositiveSeconds = 60
    """From the start of the shutdown to SIGKILL; the rest after the sleep is for draining."""

    @model_validator(mode="after")
    def _check(self) -> "Shutdown":
        if self.pre_stop_sleep_seconds >= self.grace_period_seconds:
            raise wrong(
                f"preStopSleepSeconds ({self.pre_stop_sleep_seconds}) must be below gracePeriodSeconds "
                f"({self.grace_period_seconds})",
                "raise gracePeriodSeconds",
            )
        return self


class DisruptionBudget(Settings):
    """How many replicas a node drain may evict at once; applies to 2 or more replicas."""

    enabled: bool = True
    max_unavailable: PositiveSeconds = 1


class Features(Settings):
    """The features that a model reads from the stage's feature store; it gets FEATURE_STORE_URL and FEATURE_SERVICE."""

    service: Annotated[str, Field(min_length=1)]
    """The name of a FeatureService in features/."""


class ModelDefinition(Settings):
    """`models/<model>.yaml`: what a model is in every stage."""

    owner: Owner
    """The team that is responsible for the model."""
    image: Repository
    """The image's repository, without a tag."""
    runtime: Runtime = Runtime.GENERIC
    """The serving runtime; it determines the port and the probes' paths."""
    port: Port
    """Default: the runtime's port."""
    resources: Resources
    env: dict[EnvName, EnvValue | None] = Field(default={})
    """Environment variables by name, in their order; what only the stack file names comes last. The program sets
    MODEL_NAME and MODEL_VERSION before them: a value here replaces the program's, and null leaves the variable out.
    Those of features are set by the program alone."""
    env_from: tuple[EnvSource, ...] = ()
    """Existing Secrets and ConfigMaps whose keys become environment variables."""
    mounts: Mounts = ()
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Existing Secrets with registry credentials."""
    node_selector: dict[LabelKey, LabelValue] = Field(default={})
    """Labels a node must have."""
    tolerations: tuple[Toleration, ...] = ()
    probes: Probes
    rollout: Rollout = Rollout()
    shutdown: Shutdown = Shutdown()
    security: Security = Security()
    pod_security: PodSecurity | None = None
    """The Pod Security Standard of a namespace of its own, in which the model is then: its address, and the Secrets and
    ConfigMaps that it names, are in there. Default: the model is in the stage's namespace."""
    features: Features | None = None
    """Default: the model reads none."""
    network: Network = Network()
    spread: Spread = Spread()
    disruption_budget: DisruptionBudget = DisruptionBudget()
    slo: Slo = Slo()
    metrics: Metrics
    quality: dict[DnsLabel, QualityGauge] = Field(default={})
    """Gauges of the model's quality by a name that you choose; each has two alerts: bad, and absent."""
    alerts: dict[AlertName, AlertOverride] = Field(default={})
    """Changes to alerts by their name; docs/monitoring.md lists them."""

    registered_model: RegisteredModel | None = None
    """The model in the stage's model registry. Default: it is not in a registry."""
    gate: Gate | None = None
    """The bounds for a version's metrics. Default: none."""

    @field_validator("env")
    @classmethod
    def _env(cls, env: dict[str, EnvValue | None]) -> dict[str, EnvValue | None]:
        empty = (
            wrong(
                f"has no value; null leaves out only what the program sets: {', '.join(PROGRAM_ENV)}",
                f'write {name}: "" for an empty text, or remove it',
                (name,),
            )
            for name, value in env.items()
            if value is None and name not in PROGRAM_ENV
        )
        refuse((*empty, *out_of_order(env)))
        return env

    @model_validator(mode="after")
    def _check(self) -> "ModelDefinition":
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[PydanticCustomError]:
        if self.gate is not None and self.registered_model is None:
            yield wrong(
                "needs registeredModel, whose metrics it checks",
                "add registeredModel: {name: ...}",
                ("gate",),
                ("registeredModel",),
            )
        for name in RESERVED_ENV:
            if name in self.env:
                yield wrong("is set by the program", "remove it, or use another name", ("env", name))
        deadline, budget = (
            self.rollout.progress_deadline_seconds,
            self.probes.startup.budget_seconds,
        )
        if deadline <= budget:
            yield wrong(
                f"rollout.progressDeadlineSeconds ({deadline}) must be above the start-up time that "
                f"probes.startup allows ({budget} s)",
                "raise it, or lower probes.startup.failureThreshold",
                ("rollout", "progressDeadlineSeconds"),
                ("probes", "startup"),
            )
        if self.security.mount_service_account_token and TOKEN in (mount.path for mount in self.mounts):
            yield wrong(
                f"security.mountServiceAccountToken puts the token into {TOKEN}, and a mount has that path",
                "give the mount another path, or set mountServiceAccountToken: false",
                ("mounts",),
                ("security",),
            )


class ModelSettings(ModelDefinition):
    """One model in one stage: its definition with the stage's version, replicas and overrides."""

    name: DnsLabel
    """The model's name: the key in the stack file and the name of every object."""
    version: Version
    """The image's tag, quoted. The label of the version is cut where the tag is not a label's value."""
    digest: Digest | None = None
    """Pins the image's content."""
    replicas: Annotated[int, Field(ge=0, le=10_000)]
    """The number of replicas; 0 stops the model and keeps its objects."""
    namespace: StageNamespace | None = None
    """The model's own namespace; needs podSecurity. Default: the stage's, "-" and the model's name."""

    def _mistakes(self) -> Iterator[PydanticCustomError]:
        yield from super()._mistakes()
        if self.namespace is not None and self.pod_security is None:
            yield wrong(
                "has no effect without podSecurity: the model is in the stage's namespace",
                "add podSecurity: restricted for a namespace of its own, or remove it",
                ("namespace",),
            )

    @property
    def image_reference(self) -> str:
        """The image to run: repository, tag, and the digest where one is set."""
        return image_reference(self.image, self.version, self.digest)

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name; a separate one for the metrics where it differs."""
        separate = self.metrics.enabled and self.metrics.port != self.port
        return {"http": self.port} | ({"metrics": self.metrics.port} if separate else {})

    @property
    def metrics_port_name(self) -> str:
        """The name of the port with the metrics."""
        return "metrics" if "metrics" in self.ports else "http"

    @property
    def rollout_timeout_seconds(self) -> int:
        """How long `pulumi up` waits for this model.

        Replicas roll one by one, and the deadline counts from the last progress, so the default grows with them.
        """
        if self.rollout.timeout_seconds is not None:
            return self.rollout.timeout_seconds
        return self.rollout.progress_deadline_seconds + 60 * max(1, self.replicas)

    @property
    def disruption_budget_applies(self) -> bool:
        """True when a drain can evict a replica and leave one serving."""
        return self.disruption_budget.enabled and self.replicas > 1
