"""Panels of what Kubernetes and the GPU exporter report about the model's pods. Pure functions."""

from components.kubernetes.staged_model import StagedModel
from components.monitoring import series
from components.monitoring.alerts.pods import GPU, gpu_memory_limit, gpu_memory_ratio
from components.monitoring.dashboards.grafana_sdk import Json, units
from components.monitoring.dashboards.panels import (
    BAD,
    GOOD,
    RATE_INTERVAL,
    About,
    Query,
    limits,
    names,
    time_series,
)
from components.monitoring.kube_state import container_series, containers, deployment
from components.monitoring.recording_rules import model_labels, target_labels
from components.monitoring.series import picked


def replica_panels(staged: StagedModel, of_version: str) -> list[Json]:
    """How many replicas there are, which versions they serve, and whether they stay up."""
    desired = picked(series.DESIRED_VERSION, model_labels(staged), of_version)
    restarts = _over_interval("increase", containers(staged, "status_restarts_total"))
    serving, targets = _scraped_panels(staged, of_version) if staged.model.metrics.enabled else ([], [])
    return [
        time_series(
            About(
                title="Replicas",
                description="Replicas that the Deployment wants, that are ready, and that stayed ready.",
            ),
            *(
                Query(expr=deployment(staged, metric), legend=legend)
                for metric, legend in (
                    ("spec_replicas", "desired"),
                    ("status_replicas_ready", "ready"),
                    ("status_replicas_available", "available"),
                )
            ),
        ),
        *serving,
        names(
            About(title="Desired version", description="The version that the stack file names."),
            Query(expr=f"max by (version) ({desired})", legend="{{version}}"),
        ),
        time_series(
            About(
                title="Restarts",
                description="Restarts of the model's containers by pod, within the interval of the graph.",
            ),
            Query(expr=f"sum by (pod) ({restarts})", legend="{{pod}}"),
        ),
        *targets,
    ]


def _scraped_panels(staged: StagedModel, of_version: str) -> tuple[list[Json], list[Json]]:
    """What the scrapes say of the replicas: which versions they serve, and whether they answer."""
    serving = picked(series.REPLICAS_UP, model_labels(staged), of_version)
    up = picked("up", target_labels(staged))
    versions = time_series(
        About(
            title="Versions serving",
            description="Replicas that answer scrapes, by the version they serve.",
        ),
        Query(expr=f"sum by (version) ({serving})", legend="{{version}}"),
        stacked=True,
    )
    targets = time_series(
        About(
            title="Scrape targets",
            description="Replicas that Prometheus knows, and those that it reaches.",
        ),
        Query(expr=f"count({up})", legend="known"),
        Query(expr=f"sum({up})", legend="up"),
    )
    return [versions], [targets]


def resource_panels(staged: StagedModel) -> list[Json]:
    """The resources that the replicas use, compared with their requests and limits."""
    cpu = _over_interval("rate", _cadvisor(staged, "cpu_usage_seconds_total"))
    found = [
        time_series(
            About(
                title="CPU",
                description="CPU cores that each replica uses, with its request and its limit.",
            ),
            Query(expr=f"sum by (pod) ({cpu})", legend="{{pod}}"),
            *_reserved(staged, "cpu"),
        ),
        time_series(
            About(
                title="Memory",
                description=(
                    "Working set memory of each replica, with its request and its limit. A replica "
                    "at its limit is killed."
                ),
                unit=units.BytesIEC,
            ),
            Query(
                expr=f"sum by (pod) ({_cadvisor(staged, 'memory_working_set_bytes')})",
                legend="{{pod}}",
            ),
            *_reserved(staged, "memory"),
        ),
    ]
    # Only a limit throttles.
    if "cpu" in staged.model.resources.limits:
        found.append(_throttling(staged))
    if GPU in staged.model.resources.limits:
        found.append(_gpu_memory(staged))
    return found


def _throttling(staged: StagedModel) -> Json:
    throttled, periods = (
        f"sum by (pod) ({_over_interval('rate', _cadvisor(staged, f'cpu_cfs_{part}_total'))})"
        for part in ("throttled_periods", "periods")
    )
    return time_series(
        About(
            title="CPU throttling",
            description="The fraction of the scheduler's periods in which the CPU limit made a replica wait.",
            unit=units.PercentUnit,
        ),
        Query(expr=f"{throttled}\n/\n({periods} > 0)", legend="{{pod}}"),
    )


def _gpu_memory(staged: StagedModel) -> Json:
    return time_series(
        About(
            title="GPU memory",
            description="The used fraction of each GPU's memory. Above the line it is nearly full.",
            unit=units.PercentUnit,
        ),
        Query(expr=gpu_memory_ratio(staged), legend="{{pod}}{{exported_pod}} GPU {{gpu}}"),
        drawn=limits(GOOD, {gpu_memory_limit(staged.model): BAD}),
    )


def _reserved(staged: StagedModel, resource: str) -> list[Query]:
    kinds = [("requests", "request")]
    if resource in staged.model.resources.limits:
        kinds.append(("limits", "limit"))
    return [
        Query(
            expr=f"max({containers(staged, f'resource_{metric}', resource=resource)})",
            legend=legend,
        )
        for metric, legend in kinds
    ]


def _over_interval(function: str, counter: str) -> str:
    return f"{function}({counter}[{RATE_INTERVAL}])"


def _cadvisor(staged: StagedModel, metric: str) -> str:
    return container_series(staged, f"container_{metric}")
