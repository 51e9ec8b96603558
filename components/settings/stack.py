"""The settings of a stack: one stage with its models. components/loading/stack_files.py reads them."""

from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components.files import sources
from components.settings.drift import DriftSettings
from components.settings.feature_definitions import FeatureDefinitions
from components.settings.feature_store import FeatureStoreSettings
from components.settings.identifiers import DnsLabel
from components.settings.images import Images
from components.settings.model import ModelSettings
from components.settings.monitoring import Monitoring, MonitoringDelivery
from components.settings.namespaces import PodSecurity, StageNamespace
from components.settings.network import CLUSTER_DNS, DnsServer, ServiceMesh
from components.settings.pod import Settings
from components.settings.policy import PolicySettings
from components.settings.quota import Quota
from components.settings.registries import ModelRegistry
from components.settings.wrong import Place, refuse, wrong

PROJECT = sources.PROJECT
_MONITORING_IMAGES = ("prometheus", "alertmanager", "grafana", "kube_state_metrics")


class _StageSettings(Settings):
    """What a stack file says besides its models."""

    namespace: StageNamespace
    """The Kubernetes namespace of the stage; the stack creates, labels and deletes it."""
    namespace_owned: bool = True
    """false: it exists and is someone else's; the stack neither changes nor deletes it."""
    kube_context: Annotated[str, Field(min_length=1)] | None = None
    """The kubeconfig context to deploy to; the stack then touches no other. Default: the current context."""
    pod_security: PodSecurity = PodSecurity.RESTRICTED
    """The Pod Security Standard the namespace enforces; a model that names another one has a namespace of its own."""
    dns: tuple[DnsServer, ...] = CLUSTER_DNS
    """The name servers that every pod may ask, over UDP and TCP; a list replaces the default."""
    service_mesh: ServiceMesh | None = None
    """The mesh of the models and the feature store. Default: pods reach each other without a mesh's tunnel."""
    monitoring: Monitoring = Monitoring()
    require_digest: bool = False
    """true: every model's image is pinned by a digest."""
    model_registry: ModelRegistry | None = None
    """The model registry of the models' `registeredModel`; only `python -m delivery` asks it."""
    policy: PolicySettings = PolicySettings()
    quota: Quota | None = None
    """What all pods of the stage's namespace may use together, like requests.cpu: "40"; a model's own namespace gets
    the same quota. Default: no ResourceQuota."""
    drift: DriftSettings = DriftSettings()
    feature_store: FeatureStoreSettings | None = None
    """Default: the stage has no feature store."""
    images: Images = Images()

    @field_validator("quota")
    @classmethod
    def _owned(cls, quota: Quota | None, info: ValidationInfo) -> Quota | None:
        if quota is not None and not info.data.get("namespace_owned", True):
            raise wrong(
                "limits a namespace that the stage does not own",
                "remove it, and ask the owner of the namespace for a ResourceQuota",
            )
        return quota

    @field_validator("monitoring")
    @classmethod
    def _check(cls, monitoring: Monitoring, info: ValidationInfo) -> Monitoring:
        if monitoring.stack.install and monitoring.namespace == info.data.get("namespace"):
            raise wrong(
                f"stack.install needs another namespace than the stage's, not {monitoring.namespace}, which the stage "
                "owns already",
                "name another one under monitoring.namespace",
            )
        return monitoring

    @model_validator(mode="after")
    def _used(self) -> Self:
        own_redis = self.feature_store is not None and self.feature_store.online.redis.install
        monitored = self.monitoring.delivery is not MonitoringDelivery.NONE
        store: Place = ("featureStore", "online")
        monitoring: Place = ("monitoring",)
        used: dict[str, tuple[bool, list[Place]]] = {
            "redis": (own_redis, [store]),
            "redis_exporter": (own_redis and monitored, [store, monitoring]),
            **dict.fromkeys(_MONITORING_IMAGES, (self.monitoring.stack.install, [monitoring])),
        }
        used["image_pull_secrets"] = (any(runs for runs, _ in used.values()), [store, monitoring])
        refuse(
            wrong(
                f"{to_camel(name)} has no effect: the stage installs nothing that runs such an image",
                "remove it",
                ("images", to_camel(name)),
                *said_by,
            )
            for name, (runs, said_by) in used.items()
            if name in self.images.model_fields_set and not runs
        )
        return self


class StackConfig(_StageSettings):
    """The keys of a stack file under `ml-deployments:`; each model is validated with its definition."""

    models: dict[str, dict[str, Any]] = Field(default={})


class StackSettings(_StageSettings):
    """One stage: its namespace and its models, complete with every default."""

    stage: DnsLabel
    models: tuple[ModelSettings, ...] = ()
    """Ordered by name."""
    definitions: FeatureDefinitions = FeatureDefinitions()
    """What features/ defines; empty without a feature store."""

    @property
    def owned_namespaces(self) -> dict[str, str]:
        """The namespaces that the stage creates, labels and deletes, by the field that names them."""
        found = {"namespace": self.namespace} if self.namespace_owned else {}
        found |= {f"models.{name}.namespace": namespace for name, namespace in self.own_namespaces.items()}
        if self.monitoring.stack.install:
            found["monitoring.namespace"] = self.monitoring.namespace
        return found

    @property
    def own_namespaces(self) -> dict[str, str]:
        """The namespaces of the models that have one of their own, by model."""
        return {
            model.name: self.namespace_of(model) for model in self.models if model.pod_security is not None
        }

    @property
    def serving_namespaces(self) -> tuple[str, ...]:
        """The namespaces of the models and the feature store: the stage's, then those of models."""
        return (self.namespace, *self.own_namespaces.values())

    def namespace_of(self, model: ModelSettings) -> str:
        """The namespace of a model: the stage's, or its own."""
        if model.pod_security is None:
            return self.namespace
        return model.namespace or f"{self.namespace}-{model.name}"

    @property
    def feature_readers(self) -> tuple[ModelSettings, ...]:
        """The models that read features, ordered by name."""
        return tuple(model for model in self.models if model.features is not None)
