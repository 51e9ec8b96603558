"""The settings of a stack: one stage with its models. components/stack_files.py reads them."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from components.model_settings import ModelSettings
from components.monitoring_settings import Monitoring
from components.names import DnsLabel
from components.pod_settings import Settings

PROJECT = "ml-deployments"


class PodSecurity(StrEnum):
    """The Pod Security Standards a namespace can enforce."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


class _StageSettings(Settings):
    """What a stack file says besides its models."""

    namespace: DnsLabel
    """The Kubernetes namespace of the stage; the stack owns it."""
    kube_context: Annotated[str, Field(min_length=1)] | None = None
    """The kubeconfig context to deploy to; the stack then touches no other. Left out: the current context."""
    pod_security: PodSecurity = PodSecurity.RESTRICTED
    """The Pod Security Standard the namespace enforces."""
    monitoring: Monitoring = Monitoring()


class StackConfig(_StageSettings):
    """The keys of a stack file under `ml-deployments:`; each model is validated with its definition."""

    models: dict[str, dict[str, Any]] = Field(default={})


class StackSettings(_StageSettings):
    """One stage: its namespace and its models, complete with every default."""

    stage: DnsLabel
    models: tuple[ModelSettings, ...] = ()
    """Ordered by name."""
