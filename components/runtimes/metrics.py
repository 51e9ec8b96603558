"""What a serving runtime measures, and in which form. Pure data."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Unit(StrEnum):
    """The unit a runtime measures time in; the value is how many seconds it is."""

    SECONDS = "1"
    MILLISECONDS = "0.001"
    MICROSECONDS = "0.000001"

    @property
    def seconds(self) -> Decimal:
        """The unit in seconds."""
        return Decimal(self.value)


@dataclass(frozen=True, kw_only=True)
class Selected:
    """A metric and the label matchers, as PromQL, that pick its series; `labelled` when it has the model's label."""

    name: str
    matchers: str = ""
    labelled: bool = True


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """A latency histogram by the name before `_bucket`.

    `edges` are the finite bucket boundaries in `unit`, with spaces between; empty where they are not round numbers.
    """

    name: str
    unit: Unit
    edges: str = ""
    matchers: str = ""
    labelled: bool = True


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Latency as two counters, time and requests: they allow a mean but not a quantile."""

    total: str
    count: str
    unit: Unit


@dataclass(frozen=True, kw_only=True)
class Load:
    """A gauge of requests in progress or waiting, and how many a replica may have for long before it is too busy."""

    name: str
    waiting: bool
    limit: int
    labelled: bool = True


@dataclass(frozen=True, kw_only=True)
class Loading:
    """A gauge that is 1 with the model in memory and 0 without, and a counter of failed loads."""

    loaded: str
    failures: str


@dataclass(frozen=True, kw_only=True)
class ServingMetrics:
    """What a runtime measures.

    Attributes:
        requests: Counters whose sum is all requests.
        errors: Counters whose sum is the failed requests; None where the runtime does not count them.
        latency: Time from request to answer; a histogram, a mean, or None.
        load: Requests in progress or waiting; None where the runtime does not show them.
        model_label: The label with the server's own name of the model; None where it has none.
        loading: Whether the model is in memory; None where the runtime does not show it.
    """

    requests: tuple[Selected, ...]
    errors: tuple[Selected, ...] | None
    latency: Histogram | Mean | None
    load: Load | None
    model_label: str | None
    loading: Loading | None = None


# A server without metrics.
NOTHING_MEASURED = ServingMetrics(requests=(), errors=None, latency=None, load=None, model_label=None)
