"""The settings of a model's pods: resources, environment, placement, probes, security.

Field names are camelCase in the files. A validator raises `wrong(reason, fix)`; components/loading/validation.py turns
it into a problem with its file and line.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from components.settings.container_path import ContainerPath
from components.settings.identifiers import DataKey, EnvName, HttpPath, LabelKey, LabelValue, ObjectName
from components.settings.quantities import Quantity, quantity
from components.settings.resource_names import amount_mistake, is_device
from components.settings.wrong import refuse, wrong

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=0)]
PositiveSeconds = Annotated[int, Field(ge=1)]
# `$$` is Kubernetes' way to write a dollar sign that begins no reference.
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


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
    """The requests and limits of a replica. Accelerators (`nvidia.com/gpu`) are also set here, under limits."""

    requests: dict[LabelKey, Quantity]
    """What the scheduler reserves; `cpu` and `memory` are required."""
    limits: dict[LabelKey, Quantity]
    """The most that the replica may use; `memory` is required, and no limit is below its request."""

    @model_validator(mode="after")
    def _check(self) -> "Resources":
        refuse(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[PydanticCustomError]:
        for name in ("cpu", "memory"):
            if name not in self.requests:
                yield wrong(f"requests has no {name}", f"add requests: {{{name}: ...}}", ("requests",))
        if "memory" not in self.limits:
            yield wrong("limits has no memory", "add limits: {memory: ...}", ("limits",))
        amounts = [("requests", *item) for item in self.requests.items()]
        amounts += [("limits", *item) for item in self.limits.items()]
        wrong_amounts = set()
        for kind, name, amount in amounts:
            if mistake := amount_mistake(name, amount):
                wrong_amounts.add(name)
                yield wrong(*mistake, (kind, name))
        for name, request in self.requests.items():
            limit = self.limits.get(name)
            if name in wrong_amounts:
                continue
            if is_device(name) and limit != request:
                yield wrong(
                    f"requests.{name} must equal limits.{name}; Kubernetes does not overcommit devices",
                    f"write {name}: {request} under limits",
                )
            elif limit is not None and quantity(limit) < quantity(request):
                yield wrong(
                    f"limits.{name} ({limit}) is below requests.{name} ({request})",
                    "raise the limit or lower the request",
                )

    @property
    def devices(self) -> dict[str, Decimal]:
        """How many of each device a replica has, such as `nvidia.com/gpu`; a node has only so many of them."""
        found = {name: quantity(limit) for name, limit in self.limits.items() if "/" in name}
        return {name: count for name, count in found.items() if count > 0}


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
            raise wrong(
                "must be one of a text, secretKeyRef and configMapKeyRef",
                'write NAME: "text" or NAME: {secretKeyRef: {name: ..., key: ...}}',
            )
        return self


def out_of_order(env: Mapping[str, EnvValue | None]) -> Iterator[PydanticCustomError]:
    """Each variable that refers to a later one: Kubernetes keeps such a reference as it is written."""
    place = {name: number for number, name in enumerate(env)}
    for name, value in env.items():
        for other in _references(value):
            if place.get(other, -1) > place[name]:
                yield wrong(
                    f"refers to $({other}), which comes after it; Kubernetes fills in only earlier variables",
                    f"write {other} above {name}, in the same file; $$({other}) is the text itself",
                    (name,),
                )


def _references(value: EnvValue | None) -> Iterator[str]:
    """The variables that a value names as `$(NAME)`."""
    text = None if value is None else value.value
    for found in _REFERENCE.finditer(text or ""):
        if found[1] is not None:
            yield found[1]


def _ordered(env: dict[str, EnvValue]) -> dict[str, EnvValue]:
    refuse(out_of_order(env))
    return env


Env = Annotated[dict[EnvName, EnvValue], AfterValidator(_ordered)]


class EnvSource(Settings):
    """All keys of an existing Secret or ConfigMap."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None

    @model_validator(mode="after")
    def _one(self) -> "EnvSource":
        if (self.secret is None) == (self.config_map is None):
            raise wrong("must name either a secret or a configMap", "keep one of the two")
        return self


class Mount(EnvSource):
    """An existing Secret or ConfigMap, mounted read-only."""

    path: ContainerPath
    """The folder in the container."""


def _each_its_own(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    paths = [mount.path for mount in mounts]
    for path in paths:
        if paths.count(path) > 1:
            raise wrong(f"two mounts have the path {path}", "give each its own path")
    return mounts


Mounts = Annotated[tuple[Mount, ...], AfterValidator(_each_its_own)]


class Toleration(Settings):
    """A node taint the pods tolerate; the fields are Kubernetes' own."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _check(self) -> "Toleration":
        if self.operator == "Exists" and self.value is not None:
            raise wrong("operator Exists takes no value", "remove the value, or use operator: Equal")
        if self.operator == "Equal" and self.key is None:
            raise wrong("operator Equal needs a key", "add key, or use operator: Exists")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise wrong(
                "tolerationSeconds is about pods that run already, which only effect NoExecute removes",
                "write effect: NoExecute, or remove tolerationSeconds",
            )
        return self


class Probe(Settings):
    """An HTTP health check."""

    path: HttpPath
    """Default: the runtime's path."""
    initial_delay_seconds: Seconds = 0
    period_seconds: PositiveSeconds = 10
    timeout_seconds: PositiveSeconds = 5
    failure_threshold: PositiveSeconds = 3


class StartupProbe(Probe):
    """Delays the other probes while the model loads: by default up to 60 x 10 s."""

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


class Security(Settings):
    """The restricted Pod Security Standard; each line is an opt-out."""

    run_as_non_root: bool = True
    run_as_user: Annotated[int, Field(ge=0)] | None = None
    """Default: the image's own user."""
    read_only_root_filesystem: bool = True
    tmp_size_limit: Quantity = "1Gi"
    """Size of the writable /tmp."""
    mount_service_account_token: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Security":
        if self.run_as_non_root and self.run_as_user == 0:
            raise wrong("runAsUser 0 is root", "name another user, or set runAsNonRoot: false")
        return self


class Spread(Settings):
    """Replicas are spread over zones and nodes where there are several; each line is an opt-out."""

    zones: bool = True
    nodes: bool = True
