"""Alerts on a feature store: its servers, its features, its online store. Pure functions."""

from collections.abc import Iterator

from components.feature_store import series
from components.feature_store.names import SERVER
from components.feature_store.series import cron_job, of_redis, of_server, of_stage, runs
from components.monitoring import links
from components.monitoring.alerts.alert import CERTAIN_SECONDS, Alert, alerting_rule
from components.monitoring.recording_rules import INTERVAL, Group
from components.monitoring.series import picked
from components.monitoring.slo import plain
from components.settings.feature_store import FeatureAlertName, FeatureAlertOverride, FeatureStoreSettings
from components.settings.quantities import seconds
from components.settings.stack import StackSettings
from components.settings.watching import Severity

# A fraction of the online reads.
_MOST_ERRORS = "0.01"
# A fraction of Redis' maxmemory.
_MOST_MEMORY = "0.85"


def feature_alert_group(store: FeatureStoreSettings, stack: StackSettings) -> Group:
    """The group of alerting rules of the stage's feature store, without those that are switched off."""
    dashboard = links.features_dashboard_url(stack.monitoring, stack.stage)
    rules = []
    for alert in feature_alerts(store, stack):
        override = store.watch.alerts.get(FeatureAlertName(alert.name), FeatureAlertOverride())
        if override.enabled:
            severity = override.severity or alert.severity
            rules.append(
                alerting_rule(alert, stack, severity=severity, owner=store.owner, dashboard_url=dashboard)
            )
    return Group(name=f"{SERVER}.{stack.namespace}.alerts", interval=INTERVAL, rules=rules)


def feature_alerts(store: FeatureStoreSettings, stack: StackSettings) -> list[Alert]:
    """Every alert on the stage's feature store, including those that are switched off; some exist for each view."""
    found = [
        _absent(store, stack),
        _read_errors(stack),
        _reads_slow(store, stack),
        _replicas_below_desired(store, stack),
        _materialization_failed(stack),
        *_views(store, stack),
    ]
    if store.online.redis.install:
        found += [
            _missing_entities(store, stack),
            _redis_down(stack),
            _redis_memory_high(stack),
            _redis_evicting(stack),
        ]
    return found


def freshness_limit(store: FeatureStoreSettings, view: str) -> str:
    """The age in seconds from which a view is stale."""
    return plain(seconds(store.watch.freshness_by_view.get(view, store.watch.freshness)))


def _absent(store: FeatureStoreSettings, stack: StackSettings) -> Alert:
    return Alert(
        name=FeatureAlertName.ABSENT,
        severity=Severity.PAGE,
        expression=f"absent({of_server(stack, 'up')} == 1)",
        pending=f"{CERTAIN_SECONDS}s",
        summary=f"No feature server of {stack.stage} can be scraped",
        description=(
            f"Prometheus reaches none of the {store.replicas} feature servers: up == 1 has been absent (value "
            f"{{{{ $value }}}}) for {CERTAIN_SECONDS} s."
        ),
    )


def _read_errors(stack: StackSettings) -> Alert:
    reads, errors = (of_stage(stack, name) for name in (series.READS, series.READ_ERRORS))
    return Alert(
        name=FeatureAlertName.READ_ERRORS,
        severity=Severity.PAGE,
        expression=f"{errors}\n/\n({reads} > 0)\n> {_MOST_ERRORS}",
        pending="5m",
        summary=f"Online reads of features fail in {stack.stage}",
        description="{{ $value | humanizePercentage }} of the online reads have failed for 5 minutes.",
    )


def _reads_slow(store: FeatureStoreSettings, stack: StackSettings) -> Alert:
    slow = of_stage(stack, series.READ_SECONDS, quantile="0.99")
    return Alert(
        name=FeatureAlertName.READS_SLOW,
        severity=Severity.TICKET,
        expression=f"{slow} > {plain(seconds(store.watch.read_latency))}",
        pending="5m",
        summary=f"Online reads of features are slow in {stack.stage}",
        description=(
            "One in 100 online reads takes {{ $value | humanizeDuration }} or more; the limit is "
            f"{store.watch.read_latency}."
        ),
    )


def _replicas_below_desired(store: FeatureStoreSettings, stack: StackSettings) -> Alert:
    available, desired = (
        "max by (namespace, deployment) "
        f"({picked(f'kube_deployment_{metric}', {'namespace': stack.namespace, 'deployment': SERVER})})"
        for metric in ("status_replicas_available", "spec_replicas")
    )
    return Alert(
        name=FeatureAlertName.REPLICAS_BELOW_DESIRED,
        severity=Severity.TICKET,
        expression=f"{available} < {desired}",
        pending="15m",
        summary=f"{stack.stage} has fewer feature servers than it should",
        description=f"{{{{ $value }}}} of {store.replicas} feature servers are available.",
    )


def _materialization_failed(stack: StackSettings) -> Alert:
    """The newest finished run failed. Failed runs that are kept for their logs do not count after a successful one."""
    failed = f"{runs(stack, 'status_start_time')} and on (namespace, job_name) ({runs(stack, 'status_failed')} > 0)"
    good = f"({cron_job(stack, 'status_last_successful_time')} or {cron_job(stack, 'created')})"
    return Alert(
        name=FeatureAlertName.MATERIALIZATION_FAILED,
        severity=Severity.TICKET,
        expression=f"max by (namespace) ({failed})\n> on (namespace)\n{good}",
        pending="1m",
        summary=f"The materialisation of features fails in {stack.stage}",
        description="No run has succeeded since the one that began at {{ $value | humanizeTimestamp }} and failed.",
    )


def _views(store: FeatureStoreSettings, stack: StackSettings) -> Iterator[Alert]:
    for view in stack.definitions.materialized:
        limit = freshness_limit(store, view)
        fresh = of_stage(stack, series.FRESHNESS, feature_view=view)
        yield Alert(
            name=FeatureAlertName.VIEW_STALE,
            severity=Severity.TICKET,
            expression=f"{fresh} > {limit}",
            pending="2m",
            summary=f"The features of {view} are stale in {stack.stage}",
            description=(
                f"The newest materialised values are {{{{ $value | humanizeDuration }}}} old; the limit is {limit} s."
            ),
        )
        yield Alert(
            name=FeatureAlertName.VIEW_NEVER_MATERIALIZED,
            severity=Severity.TICKET,
            expression=f"absent({fresh})\nand on ()\n(count({of_server(stack, 'up')} == 1) > 0)",
            pending=f"{limit}s",
            summary=f"{view} has never been materialised in {stack.stage}",
            description=(
                "The feature servers are up and report no materialisation of it (value {{ $value }}): models "
                "read null."
            ),
        )


def _missing_entities(store: FeatureStoreSettings, stack: StackSettings) -> Alert:
    return Alert(
        name=FeatureAlertName.MISSING_ENTITIES,
        severity=Severity.TICKET,
        expression=f"{of_stage(stack, series.MISSING)} > {store.watch.null_ratio}",
        pending="15m",
        summary=f"Features are missing in {stack.stage}",
        description=(
            "{{ $value | humanizePercentage }} of the entities that models request have no values, so they read null; "
            f"the limit is {store.watch.null_ratio}."
        ),
    )


def _redis_down(stack: StackSettings) -> Alert:
    return Alert(
        name=FeatureAlertName.REDIS_DOWN,
        severity=Severity.PAGE,
        expression=f"absent({of_redis(stack, 'redis_up')} == 1)",
        pending="2m",
        summary=f"The online store of {stack.stage} is down",
        description="redis_up == 1 has been absent (value {{ $value }}) for 2 minutes: no feature can be read.",
    )


def _redis_memory_high(stack: StackSettings) -> Alert:
    return Alert(
        name=FeatureAlertName.REDIS_MEMORY_HIGH,
        severity=Severity.TICKET,
        expression=f"{of_stage(stack, series.REDIS_MEMORY)} > {_MOST_MEMORY}",
        pending="10m",
        summary=f"The online store of {stack.stage} is nearly full",
        description="{{ $value | humanizePercentage }} of Redis' maxmemory is used.",
    )


def _redis_evicting(stack: StackSettings) -> Alert:
    return Alert(
        name=FeatureAlertName.REDIS_EVICTING,
        severity=Severity.TICKET,
        expression=f"{of_stage(stack, series.REDIS_EVICTIONS)} > 0",
        pending="5m",
        summary=f"The online store of {stack.stage} evicts features",
        description="Redis evicts {{ $value | humanize }} keys a second, which models then read as null.",
    )
