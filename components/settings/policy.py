"""What a stage requires of its objects beyond what every stage requires, and its exceptions."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from components.settings.identifiers import object_name
from components.settings.pod import Settings
from components.settings.wrong import wrong

# As the name of an exception: the policy is off for every object.
EVERY_OBJECT = "*"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
    NETWORK_POLICY = "network-policy"
    OPEN_EGRESS = "open-egress"
    METADATA_ADDRESS = "metadata-address"
    SERVICE_ACCOUNT_TOKEN = "service-account-token"
    ACCESS_RIGHTS = "access-rights"
    ALLOWED_REGISTRIES = "allowed-registries"
    SECRET_LITERALS = "secret-literals"
    EPHEMERAL_STORAGE = "ephemeral-storage"
    QUOTA = "quota"
    MONITORING_DIGEST = "monitoring-digest"


def _name(text: str) -> str:
    return text if text == EVERY_OBJECT else object_name(text)


def _reason(text: str) -> str:
    if not text.strip():
        raise wrong("is empty, and a reviewer needs to know why", "say why, like reason: has no users yet")
    return text


def _day(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise wrong("must be a day of the calendar, as year-month-day", 'write it like "2027-03-31"')


class PolicyException(Settings):
    """What is exempt from a policy: one object, or with the name "*" every object. Findings are still shown."""

    policy: PolicyName
    """The policy's name, as docs/policy.md lists it."""
    name: Annotated[str, AfterValidator(_name)]
    """The object's name; a model's objects have the model's name. "*": every object, so the policy is off."""
    reason: Annotated[str, AfterValidator(_reason)]
    """Why; shown wherever the exception is used."""
    until: Annotated[date, BeforeValidator(_day)]
    """The last day of the exception, quoted, like "2027-03-31". Commits of later days are refused again."""


# A host without a dot or a port would be a user of Docker Hub, as in `model-registry/model`.
_REGISTRY = re.compile(
    r"(localhost|[a-z0-9][-a-z0-9.]*(\.[a-z0-9][-a-z0-9]*|:[0-9]{1,5}))(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)


def _registry(text: str) -> str:
    if not _REGISTRY.fullmatch(text):
        raise wrong(
            "must be a registry's host, with or without the beginning of a repository",
            "write it like registry.example.com/team, or docker.io/library for Docker Hub; without https://, "
            "a tag or a / at its end",
        )
    return text


class PolicySettings(Settings):
    """What the policies require of this stage; docs/policy.md lists them."""

    allowed_registries: tuple[Annotated[str, AfterValidator(_registry)], ...] = ()
    """Every image is below one of these, like registry.example.com/team. Default: any registry."""
    high_availability: bool = False
    """Every model must have 2 replicas or more and a PodDisruptionBudget. On in production."""
    monitoring_digests: bool = False
    """Every image of the stage's own monitoring stack must be pinned by its digest, under `images`."""
    exceptions: tuple[PolicyException, ...] = ()
