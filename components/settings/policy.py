"""What a stage requires of its objects beyond what every stage requires, and its exceptions."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.settings.identifiers import ObjectName
from components.settings.pod import Settings


class PolicyName(StrEnum):
    """Every policy; docs/policy.md says what each one checks."""

    IMAGE_TAG = "image-tag"
    IMAGE_DIGEST = "image-digest"
    OWNER = "owner"
    RESOURCES = "resources"
    RESTRICTED_PODS = "restricted-pods"
    OWN_NAMESPACES = "own-namespaces"
    NO_PLAIN_SECRETS = "no-plain-secrets"
    SECRET_IN_ENVIRONMENT = "secret-in-environment"
    REPLICAS = "replicas"
    DISRUPTION_BUDGET = "disruption-budget"
    VERSION_ORDER = "version-order"


class PolicyException(Settings):
    """One object that is exempt from a policy; findings are still shown, with the reason."""

    policy: PolicyName
    """The policy's name, as docs/policy.md lists it."""
    name: ObjectName
    """The object's name; a model's objects have the model's name."""
    reason: Annotated[str, Field(min_length=1)]
    """Why; shown wherever the exception is used."""


class PolicySettings(Settings):
    """What the policies require of this stage; docs/policy.md lists them."""

    high_availability: bool = False
    """Every model must have 2 replicas or more and a PodDisruptionBudget. On in production."""
    exceptions: tuple[PolicyException, ...] = ()
