"""Reads a product's features from a Feast feature server over HTTP.

One try per request, within a fixed time: a second try would double the load on a store that is already slow.
"""

import asyncio
import logging
from enum import StrEnum
from typing import Annotated

import httpx2
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from server import log
from server.metrics import Metrics
from server.settings import FeatureSettings

_PATH = "/get-online-features"
_ENTITY = "product_id"
_CONNECTIONS = 64
# Shorter than the 30 seconds after which Feast closes a connection, so that none is used while it is being closed.
_IDLE_SECONDS = 5

Count = Annotated[int, Field(ge=0, strict=True)]


class Outcome(StrEnum):
    """The outcome of a read; the answer to /predict and the metric have these words."""

    USED = "used"
    MISSING = "missing"
    TIMEOUT = "timeout"
    ERROR = "error"


class ProductReviews(BaseModel):
    """The features of the service `sentiment_v1`: how a product's reviews have been rated."""

    model_config = ConfigDict(frozen=True)

    review_count: Count
    positive_count: Count

    @model_validator(mode="after")
    def _fits(self) -> "ProductReviews":
        if self.positive_count > self.review_count:
            raise ValueError("positive_count is above review_count")
        return self

    @property
    def prior(self) -> float:
        """How probable a positive review of the product is, between 0 and 1; 0.5 without any review."""
        return (self.positive_count + 1) / (self.review_count + 2)


class _Metadata(BaseModel):
    feature_names: list[str]


class _Vector(BaseModel):
    values: list[JsonValue]


class _Answer(BaseModel):
    """What Feast answers: a vector for each name, with a value for each requested entity."""

    metadata: _Metadata
    results: list[_Vector]

    @model_validator(mode="after")
    def _fits(self) -> "_Answer":
        if len(self.metadata.feature_names) != len(self.results):
            raise ValueError("it does not have as many results as names")
        if any(len(vector.values) != 1 for vector in self.results):
            raise ValueError("it does not have one value for each name")
        return self

    def row(self) -> dict[str, JsonValue]:
        """The one entity's values by name."""
        return {
            name: vector.values[0]
            for name, vector in zip(self.metadata.feature_names, self.results, strict=True)
        }


class FeatureReader:
    """Asks one feature server for one feature service. `close` closes it."""

    def __init__(self, settings: FeatureSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        # Not from the environment: a proxy's variables must not apply between two pods.
        self._client = httpx2.AsyncClient(
            base_url=str(settings.url),
            trust_env=False,
            timeout=None,
            limits=httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS),
        )

    async def read(self, product: str) -> tuple[Outcome, ProductReviews | None]:
        """The product's features. They are present if and only if the outcome is `used`; nothing is raised."""
        outcome, reviews, reason = await self._read(product)
        self._metrics.feature_reads.labels(outcome).inc()
        if reason:
            log.event("features not read", level=logging.WARNING, outcome=outcome, reason=reason)
        return outcome, reviews

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _read(self, product: str) -> tuple[Outcome, ProductReviews | None, str]:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await self._client.post(
                    _PATH,
                    json={"feature_service": self._settings.service, "entities": {_ENTITY: [product]}},
                )
        except TimeoutError:
            return Outcome.TIMEOUT, None, f"no answer within {self._settings.timeout_seconds} s"
        except httpx2.HTTPError as error:
            return Outcome.ERROR, None, str(error) or type(error).__name__
        if answer.status_code != httpx2.codes.OK:
            return Outcome.ERROR, None, f"the store answered {answer.status_code}"
        try:
            row = _Answer.model_validate_json(answer.content).row()
            # Feast marks an unknown product as PRESENT when Redis is the online store; its values are null.
            if any(name in row and row[name] is None for name in ProductReviews.model_fields):
                return Outcome.MISSING, None, ""
            return Outcome.USED, ProductReviews.model_validate(row), ""
        except ValidationError as error:
            return Outcome.ERROR, None, _what_is_wrong(error)


def _what_is_wrong(error: ValidationError) -> str:
    """Where and why, without the values."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    shown = (f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in problems[:3])
    return f"the store's answer is wrong: {'; '.join(shown)}"
