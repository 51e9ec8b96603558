"""The settings of one model, as `models/<model>.yaml` and its entry in a stack file give them.

The only place that states a default. Field names are camelCase in the files. A validator's message is
`reason|fix`; components/validation.py turns it into a problem with its file and line.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from components.names import (
    DataKey,
    Digest,
    DnsLabel,
    EnvName,
    HttpPath,
    LabelKey,
    LabelValue,
    ObjectName,
    Repository,
    Version,
)
from components.quantities import Duration, Objective, Quantity, quantity
from components.runtimes import Runtime

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=0)]
PositiveSeconds = Annotated[int, Field(ge=1)]
# The program sets these two, so that a server can say what it is.
RESERVED_ENV = ("MODEL_NAME", "MODEL_VERSION")


class Settings(BaseModel):
    """Frozen and strict: no unknown keys, no conversion between types."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        use_attribute_docstrings=True,
    )


class Resources(Settings):
    """What a replica asks of its node. Accelerators (`nvidia.com/gpu`) stand here too, under limits."""

    requests: dict[LabelKey, Quantity]
    """What the scheduler reserves; `cpu` and `memory` are required."""
    limits: dict[LabelKey, Quantity]
    """What the replica may use at most; `memory` is required, and none is below its request."""

    @model_validator(mode="after")
    def _check(self) -> "Resources":
        for name in ("cpu", "memory"):
            if name not in self.requests:
                raise ValueError(f"requests has no {name}|add requests: {{{name}: ...}}")
        if "memory" not in self.limits:
            raise ValueError("limits has no memory|add limits: {memory: ...}")
        for name, request in self.requests.items():
            if "/" in name and self.limits.get(name) != request:
                raise ValueError(
                    f"requests.{name} must equal limits.{name}; Kubernetes does not overcommit devices"
                    f"|write {name}: {request} under limits"
                )
            if name in self.limits and quantity(self.limits[name]) < quantity(request):
                raise ValueError(
                    f"limits.{name} ({self.limits[name]}) is below requests.{name} ({request})"
                    "|raise the limit or lower the request"
                )
        return self


class KeyReference(Settings):
    """One key of an existing Secret or ConfigMap."""

    name: ObjectName
    key: DataKey


class EnvValue(Settings):
    """A text, or a key of an existing Secret or ConfigMap."""

    value: str | None = None
    secret_key_ref: KeyReference | None = None
    config_map_key_ref: KeyReference | None = None

    @model_validator(mode="before")
    @classmethod
    def _text(cls, data: Any) -> Any:  # noqa: ANN401
        return data if isinstance(data, dict) else {"value": data}

    @model_validator(mode="after")
    def _one(self) -> "EnvValue":
        if sum(x is not None for x in (self.value, self.secret_key_ref, self.config_map_key_ref)) != 1:
            raise ValueError(
                'must be one of a text, secretKeyRef and configMapKeyRef|write NAME: "text" '
                "or NAME: {secretKeyRef: {name: ..., key: ...}}"
            )
        return self


class EnvSource(Settings):
    """All keys of an existing Secret or ConfigMap."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None

    @model_validator(mode="after")
    def _one(self) -> "EnvSource":
        if (self.secret is None) == (self.config_map is None):
            raise ValueError("must name either a secret or a configMap|keep one of the two")
        return self


class Mount(Settings):
    """An existing Secret or ConfigMap, mounted read-only."""

    path: HttpPath
    """Where it appears in the container."""
    secret: ObjectName | None = None
    config_map: ObjectName | None = None

    @model_validator(mode="after")
    def _one(self) -> "Mount":
        if (self.secret is None) == (self.config_map is None):
            raise ValueError("must name either a secret or a configMap|keep one of the two")
        return self


class Toleration(Settings):
    """A node taint the pods tolerate; the fields are Kubernetes' own."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _check(self) -> "Toleration":
        if self.operator == "Exists" and self.value is not None:
            raise ValueError("operator Exists takes no value|remove the value, or use operator: Equal")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("operator Equal needs a key|add key, or use operator: Exists")
        return self


class Probe(Settings):
    """An HTTP health check."""

    path: HttpPath
    """Left out: the runtime's own path."""
    initial_delay_seconds: Seconds = 0
    period_seconds: PositiveSeconds = 10
    timeout_seconds: PositiveSeconds = 5
    failure_threshold: PositiveSeconds = 3


class StartupProbe(Probe):
    """Holds the other probes back while the model loads: by default up to 60 x 10 s."""

    failure_threshold: PositiveSeconds = 60

    @property
    def budget_seconds(self) -> int:
        """The longest a model may take to load."""
        return self.initial_delay_seconds + self.period_seconds * self.failure_threshold


class Probes(Settings):
    """When a replica counts as started, alive and ready."""

    liveness: Probe
    readiness: Probe
    startup: StartupProbe


class Rollout(Settings):
    """How one version replaces another."""

    max_unavailable: Annotated[int, Field(ge=0)] = 0
    """Replicas that may be missing during a roll."""
    max_surge: Annotated[int, Field(ge=0)] = 1
    """Replicas that may run on top of the wanted ones."""
    progress_deadline_seconds: PositiveSeconds = 900
    """A roll without progress for this long has failed."""
    timeout_seconds: PositiveSeconds | None = None
    """`pulumi up` waits this long; left out, the progress deadline and a minute for each replica."""

    @model_validator(mode="after")
    def _check(self) -> "Rollout":
        if self.max_unavailable == 0 and self.max_surge == 0:
            raise ValueError("maxUnavailable and maxSurge are both 0, so nothing can roll|set maxSurge: 1")
        if self.timeout_seconds is not None and self.timeout_seconds <= self.progress_deadline_seconds:
            raise ValueError(
                f"timeoutSeconds ({self.timeout_seconds}) must be above progressDeadlineSeconds "
                f"({self.progress_deadline_seconds}), which names the reason|raise it, or leave it out"
            )
        return self


class Shutdown(Settings):
    """How a replica leaves without losing requests."""

    pre_stop_sleep_seconds: Seconds = 15
    """Keeps serving this long after it left the Service's endpoints."""
    grace_period_seconds: PositiveSeconds = 60
    """From the start of the shutdown to SIGKILL; the rest after the sleep is for draining."""

    @model_validator(mode="after")
    def _check(self) -> "Shutdown":
        if self.pre_stop_sleep_seconds >= self.grace_period_seconds:
            raise ValueError(
                f"preStopSleepSeconds ({self.pre_stop_sleep_seconds}) must be below gracePeriodSeconds "
                f"({self.grace_period_seconds})|raise gracePeriodSeconds"
            )
        return self


class Security(Settings):
    """The restricted Pod Security Standard; each line is an opt-out."""

    run_as_non_root: bool = True
    run_as_user: Annotated[int, Field(ge=0)] | None = None
    """Left out: the image's own user."""
    read_only_root_filesystem: bool = True
    tmp_size_limit: Quantity = "1Gi"
    """Size of the writable /tmp."""
    mount_service_account_token: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Security":
        if self.run_as_non_root and self.run_as_user == 0:
            raise ValueError("runAsUser 0 is root|name another user, or set runAsNonRoot: false")
        return self


class Peer(Settings):
    """Pods by label, in the stage's namespace unless another is named."""

    namespace: DnsLabel | None = None
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]


class Destination(Settings):
    """Where a model may connect to: pods by label, or addresses; on these TCP ports."""

    pods: Peer | None = None
    cidr: Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")] | None = None
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one(self) -> "Destination":
        if (self.pods is None) == (self.cidr is None):
            raise ValueError("must name either pods or a cidr|keep one of the two")
        return self


class Network(Settings):
    """Who may talk to the model, and whom it may talk to. DNS and monitoring are always allowed."""

    enabled: bool = True
    """false: no NetworkPolicy."""
    clients: tuple[Peer, ...] = ()
    """Pods that may send requests."""
    egress: tuple[Destination, ...] = ()
    """What the model itself connects to."""


class Spread(Settings):
    """Replicas are spread over zones and nodes where there are several; each line is an opt-out."""

    zones: bool = True
    nodes: bool = True


class DisruptionBudget(Settings):
    """How many replicas a node drain may take at once; applies from 2 replicas on."""

    enabled: bool = True
    max_unavailable: PositiveSeconds = 1


class LatencyObjective(Settings):
    """So many percent of the requests are answered within the threshold."""

    objective: Objective
    threshold: Duration


class Slo(Settings):
    """Service level objectives, as decimals in quotes."""

    availability: Objective | None = None
    latency: LatencyObjective | None = None


class ModelDefinition(Settings):
    """`models/<model>.yaml`: what a model is in every stage."""

    owner: LabelValue
    """The team that answers for the model."""
    image: Repository
    """The image's repository, without a tag."""
    runtime: Runtime = Runtime.GENERIC
    """The serving runtime; it supplies the port and the probes' paths."""
    port: Port
    """Left out: the runtime's port."""
    resources: Resources
    env: dict[EnvName, EnvValue] = {}
    """Environment variables by name. MODEL_NAME and MODEL_VERSION are set by the program."""
    env_from: tuple[EnvSource, ...] = ()
    """Existing Secrets and ConfigMaps whose keys become environment variables."""
    mounts: tuple[Mount, ...] = ()
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Existing Secrets with registry credentials."""
    node_selector: dict[LabelKey, LabelValue] = {}
    tolerations: tuple[Toleration, ...] = ()
    probes: Probes
    rollout: Rollout = Rollout()
    shutdown: Shutdown = Shutdown()
    security: Security = Security()
    network: Network = Network()
    spread: Spread = Spread()
    disruption_budget: DisruptionBudget = DisruptionBudget()
    slo: Slo = Slo()

    @model_validator(mode="after")
    def _check(self) -> "ModelDefinition":
        for name in RESERVED_ENV:
            if name in self.env:
                raise ValueError(f"env.{name} is set by the program|remove it, or use another name")
        deadline, budget = (
            self.rollout.progress_deadline_seconds,
            self.probes.startup.budget_seconds,
        )
        if deadline <= budget:
            raise ValueError(
                f"rollout.progressDeadlineSeconds ({deadline}) must be above the start-up time that "
                f"probes.startup allows ({budget} s)|raise it, or lower probes.startup.failureThreshold"
            )
        paths = [mount.path for mount in self.mounts]
        if len(set(paths)) != len(paths) or "/tmp" in paths:
            raise ValueError("two mounts have the same path, or one is /tmp|give each its own path")
        return self


class ModelSettings(ModelDefinition):
    """One model in one stage: its definition with the stage's version, replicas and overrides."""

    name: DnsLabel
    """The model's name: the key in the stack file and the name of every object."""
    version: Version
    """The image's tag, quoted."""
    digest: Digest | None = None
    """Pins the image's content."""
    replicas: Annotated[int, Field(ge=0, le=10_000)]
    """How many replicas serve; 0 stops the model and keeps its objects."""

    @property
    def image_reference(self) -> str:
        """The image to run: repository and tag, and the digest where one is given."""
        tagged = f"{self.image}:{self.version}"
        return tagged if self.digest is None else f"{tagged}@{self.digest}"

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
        """True when a drain can take a replica and leave one serving."""
        return self.disruption_budget.enabled and self.replicas > 1
