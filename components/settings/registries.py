"""Where a model's versions are registered, and the gate that a version must pass before it may replace another."""

import re
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.settings.addresses import no_password
from components.settings.pod import Settings
from components.settings.watching import Number
from components.settings.wrong import wrong

# The tag keys that MLflow accepts. Its filters cannot contain a backtick in a key.
_TAG_KEY = re.compile(r"[\w\-./: ]+")
# Printable ASCII without a backslash, which some libraries take for a slash.
_ADDRESS = re.compile(r"[!-\[\]-~]+")


def _model_name(text: str) -> str:
    if "'" in text and '"' in text:
        raise wrong(
            "contains ' and \", and MLflow cannot search for both",
            "rename the registered model, without one of them",
        )
    return text


def _tag_key(text: str) -> str:
    if not _TAG_KEY.fullmatch(text):
        raise wrong(
            "is not a valid key of a tag in MLflow",
            "use only letters, digits, spaces and _ - . / :, as the tag itself does",
        )
    return text


def _fall(text: str) -> str:
    if Decimal(text) < 0:
        raise wrong("must not be below zero", 'write how much it may change, like "0.01"')
    return text


def _address(text: str) -> str:
    example = "write it like https://mlflow.example.com"
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    # What libraries read differently could name one server to the check and another to the client.
    if not good or not _ADDRESS.fullmatch(text):
        raise wrong("must be an address", example)
    no_password(text, "remove it; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead")
    if parts.query or parts.fragment:
        raise wrong("must not have a query or a fragment", example)
    return text.rstrip("/")


Fall = Annotated[Number, AfterValidator(_fall)]
Address = Annotated[str, AfterValidator(_address)]
MetricName = Annotated[str, Field(min_length=1, max_length=250)]


class RegisteredModel(Settings):
    """How to find the model's versions in the stage's model registry."""

    name: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_model_name)]
    """The registered model's name."""
    version_tag: Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_tag_key)] = "version"
    """The tag of a registered version that contains the image's tag; MLflow's own version numbers count from 1."""


class MetricGate(Settings):
    """The bounds of one metric; decimals in quotes."""

    min: Number | None = None
    """The least value."""
    max: Number | None = None
    """The greatest value."""
    max_drop: Fall | None = None
    """How far it may be below that of the version that the stage runs now."""
    max_rise: Fall | None = None
    """How far it may be above that of the version that the stage runs now."""

    @property
    def compares(self) -> bool:
        """True where the version that runs now counts."""
        return self.max_drop is not None or self.max_rise is not None

    @model_validator(mode="after")
    def _check(self) -> "MetricGate":
        if all(rule is None for rule in (self.min, self.max, self.max_drop, self.max_rise)):
            raise wrong("has no rule", 'add min, max, maxDrop or maxRise, like min: "0.85"')
        if self.min is not None and self.max is not None and Decimal(self.min) > Decimal(self.max):
            raise wrong(f"min ({self.min}) is above max ({self.max})", "lower min, or raise max")
        return self


class Gate(Settings):
    """What a version must reach before `delivery promote` and `delivery review` allow it in a stage."""

    metrics: Annotated[dict[MetricName, MetricGate], Field(min_length=1)]
    """Rules by the metric's name in the registered version's run or logged model."""

    @property
    def compares(self) -> bool:
        """True where the version that runs now counts."""
        return any(rule.compares for rule in self.metrics.values())


class ModelRegistry(Settings):
    """The model registry of a stage."""

    mlflow: Address
    """The address of an MLflow tracking server."""
