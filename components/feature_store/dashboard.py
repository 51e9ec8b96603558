"""The dashboard of a stage's feature store. Pure functions."""

from components.feature_store import series
from components.feature_store.alerts import freshness_limit
from components.feature_store.series import cron_job, of_redis, of_server, of_stage, runs
from components.monitoring import links
from components.monitoring.dashboards.frame import frame, models_link
from components.monitoring.dashboards.grafana_sdk import Json, units
from components.monitoring.dashboards.panels import (
    BAD,
    GOOD,
    About,
    Query,
    Row,
    limits,
    spread,
    states,
    time_series,
)
from components.monitoring.series import picked
from components.monitoring.slo import plain
from components.settings.feature_store import FeatureStoreSettings
from components.settings.quantities import seconds
from components.settings.stack import StackSettings


def feature_dashboard(store: FeatureStoreSettings, stack: StackSettings) -> Json:
    """The dashboard of the stage's feature store."""
    rows = [
        Row(title="Online reads", panels=spread(_read_panels(store, stack))),
        Row(title="Features", panels=spread(_view_panels(store, stack))),
        Row(title="Materialisation", panels=spread(_materialization_panels(stack))),
    ]
    if store.online.redis.install:
        rows.append(Row(title="Redis", panels=spread(_redis_panels(store, stack))))
    rows.append(Row(title="Alerts", panels=[_alerts(stack)]))
    return frame(
        links.features_dashboard_uid(stack.stage),
        f"Features in {stack.stage}",
        f"The feature store of the stage {stack.stage}.",
        [stack.stage],
        rows,
        links=[models_link()],
    )


def _read_panels(store: FeatureStoreSettings, stack: StackSettings) -> list[Json]:
    reads, errors = (of_stage(stack, name) for name in (series.READS, series.READ_ERRORS))
    up = of_server(stack, "up")
    return [
        time_series(
            About(
                title="Online reads",
                description="Online reads a second, and those that failed, averaged over 5 minutes.",
                unit=units.RequestsPerSecond,
            ),
            Query(expr=reads, legend="all"),
            Query(expr=errors, legend="failed"),
        ),
        time_series(
            About(
                title="Duration of online reads",
                description=(
                    "How long an answer takes, and Redis' share of that. Above the line reads are too slow."
                ),
                unit=units.Seconds,
            ),
            Query(expr=of_stage(stack, series.READ_SECONDS), legend="answer, quantile {{quantile}}"),
            Query(expr=of_stage(stack, series.REDIS_SECONDS), legend="Redis, quantile {{quantile}}"),
            drawn=limits(GOOD, {plain(seconds(store.watch.read_latency)): BAD}),
        ),
        time_series(
            About(
                title="Feature servers",
                description="Servers that Prometheus knows, and those that it reaches.",
            ),
            Query(expr=f"count({up})", legend="known"),
            Query(expr=f"sum({up})", legend="up"),
        ),
    ]


def _view_panels(store: FeatureStoreSettings, stack: StackSettings) -> list[Json]:
    ages = {freshness_limit(store, view) for view in stack.definitions.materialized}
    return [
        time_series(
            About(
                title="Freshness",
                description="How old the newest materialised values are. Above its line a view is stale.",
                unit=units.Seconds,
            ),
            Query(expr=of_stage(stack, series.FRESHNESS), legend="{{feature_view}}"),
            drawn=limits(GOOD, dict.fromkeys(sorted(ages), BAD)),
        ),
    ]


def _materialization_panels(stack: StackSettings) -> list[Json]:
    took = f"{runs(stack, 'status_completion_time')} - {runs(stack, 'status_start_time')}"
    return [
        time_series(
            About(
                title="Since the last successful run",
                description="How long ago the last successful run was scheduled.",
                unit=units.Seconds,
            ),
            Query(expr=f"time() - {cron_job(stack, 'status_last_successful_time')}", legend="since"),
        ),
        time_series(
            About(title="Duration of runs", description="How long the kept runs took.", unit=units.Seconds),
            Query(expr=took, legend="{{job_name}}"),
        ),
        time_series(
            About(title="Failed runs", description="Kept runs that failed."),
            Query(expr=f"count({runs(stack, 'status_failed')} > 0) or vector(0)", legend="failed"),
        ),
    ]


def _redis_panels(store: FeatureStoreSettings, stack: StackSettings) -> list[Json]:
    return [
        time_series(
            About(
                title="Memory of Redis",
                description="The memory that Redis uses, and its limit.",
                unit=units.BytesIEC,
            ),
            Query(expr=f"max({of_redis(stack, 'redis_memory_used_bytes')})", legend="used"),
            Query(expr=f"max({of_redis(stack, 'redis_memory_max_bytes')})", legend="most"),
        ),
        time_series(
            About(
                title="Missing entities",
                description=(
                    "The fraction of requested entities without values, over 5 minutes. Models read null for them."
                ),
                unit=units.PercentUnit,
            ),
            Query(expr=of_stage(stack, series.MISSING), legend="missing"),
            drawn=limits(GOOD, {store.watch.null_ratio: BAD}),
        ),
        time_series(
            About(
                title="Evictions", description="Keys that Redis evicts because its memory is full, a second."
            ),
            Query(expr=of_stage(stack, series.REDIS_EVICTIONS), legend="evicted"),
        ),
        time_series(
            About(title="Clients of Redis", description="Open connections."),
            Query(expr=f"max({of_redis(stack, 'redis_connected_clients')})", legend="connected"),
        ),
    ]


def _alerts(stack: StackSettings) -> Json:
    firing = picked(
        "ALERTS", {"alertstate": "firing", "namespace": stack.namespace}, 'alertname=~"Feature.+"'
    )
    return states(
        About(title="Alerts", description="When each alert on the feature store fired."),
        Query(expr=f"max by (alertname, feature_view) ({firing})", legend="{{alertname}} {{feature_view}}"),
        "firing",
    )
