"""What GET /metrics shows. Dashboards and alerts rely on these names, so they are part of the contract."""

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The library would add a `_created` series to each counter and histogram, which the contract does not have.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The series of one server, in their own registry."""

    def __init__(self, in_flight: Callable[[], int], feature_outcomes: Iterable[str] = ()) -> None:
        """Create the series.

        Args:
            in_flight: Returns how many requests are being answered.
            feature_outcomes: The outcomes of a read of features; none where the server reads none.
        """
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self.requests = Counter(
            "model_requests_total",
            "Requests to /predict by HTTP status code.",
            ["code"],
            registry=self._registry,
        )
        # rate() sees the first error only if the series existed before it.
        for code in ("200", "422", "500", "503"):
            self.requests.labels(code)
        self.duration = Histogram(
            "model_request_duration_seconds",
            "Time to answer a request to /predict.",
            buckets=BUCKETS,
            registry=self._registry,
        )
        Gauge(
            "model_requests_in_flight", "Requests to /predict being answered now.", registry=self._registry
        ).set_function(in_flight)
        self.loaded = Gauge("model_loaded", "1 if the model is loaded, else 0.", registry=self._registry)
        self.load_failures = Counter(
            "model_load_failures_total", "Loads of the model that failed.", registry=self._registry
        )
        self.feature_reads = Counter(
            "model_feature_reads_total",
            "Reads of features for a request to /predict, by their outcome.",
            ["outcome"],
            registry=self._registry,
        )
        for outcome in feature_outcomes:
            self.feature_reads.labels(outcome)

    def exposition(self) -> bytes:
        """Every series in the Prometheus text format."""
        return generate_latest(self._registry)
