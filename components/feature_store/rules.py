"""Recording rules of a feature store: Feast's and Redis' metrics as the canonical series. Pure functions."""

from components.feature_store import series
from components.feature_store.alerts import feature_alert_group
from components.feature_store.names import SERVER
from components.feature_store.series import of_redis, of_server
from components.files.yaml_text import dump
from components.monitoring.recording_rules import INTERVAL, Group, Rule
from components.settings.feature_store import FeatureStoreSettings
from components.settings.stack import StackSettings


def feature_rule_groups(store: FeatureStoreSettings, stack: StackSettings) -> list[Group]:
    """Every group of rules of the stage's feature store: the recording rules, then the alerts."""
    rules = [*_read_rules(stack), *_view_rules(stack)]
    if store.online.redis.install:
        rules += _redis_rules(stack)
    name = f"{SERVER}.{stack.namespace}.series"
    return [Group(name=name, interval=INTERVAL, rules=rules), feature_alert_group(store, stack)]


def feature_rule_file(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str]:
    """A Prometheus rule file by its name."""
    return {f"{stack.stage}-{SERVER}.rules.yaml": dump({"groups": feature_rule_groups(store, stack)})}


def _read_rules(stack: StackSettings) -> list[Rule]:
    requests, errors = (
        _rate(of_server(stack, "feast_feature_server_request_total", endpoint=series.ENDPOINT, **labels))
        for labels in ({}, {"status": "error"})
    )
    answer = of_server(stack, "feast_feature_server_request_latency_seconds_bucket", endpoint=series.ENDPOINT)
    redis = of_server(stack, "feast_feature_server_online_store_read_duration_seconds_bucket")
    return [
        _record(series.READS, requests),
        # Before the first error there is no such series.
        _record(series.READ_ERRORS, f"{errors}\nor\n0 * {requests}"),
        *_quantiles(series.READ_SECONDS, answer),
        *_quantiles(series.REDIS_SECONDS, redis),
    ]


def _view_rules(stack: StackSettings) -> list[Rule]:
    freshness = of_server(stack, "feast_feature_freshness_seconds")
    return [_record(series.FRESHNESS, f"max by (namespace, feature_view) ({freshness})")]


def _redis_rules(stack: StackSettings) -> list[Rule]:
    used, most = (of_redis(stack, f"redis_memory_{part}_bytes") for part in ("used", "max"))
    # An entity is one key: reading one that is not there is a miss.
    found, missing = (_rate(of_redis(stack, f"redis_keyspace_{part}_total")) for part in ("hits", "misses"))
    return [
        _record(series.MISSING, f"{missing}\n/\n(({found} + {missing}) > 0)"),
        _record(series.REDIS_MEMORY, f"max by (namespace) ({used})\n/\n(max by (namespace) ({most}) > 0)"),
        _record(series.REDIS_EVICTIONS, _rate(of_redis(stack, "redis_evicted_keys_total"))),
    ]


def _rate(counter: str, *labels: str) -> str:
    return f"sum by ({', '.join(('namespace', *labels))}) (rate({counter}[5m]))"


def _quantiles(name: str, buckets: str) -> list[Rule]:
    rates = _rate(buckets, "le")
    return [
        Rule(record=name, expr=f"histogram_quantile({quantile}, {rates})", labels={"quantile": quantile})
        for quantile in series.QUANTILES
    ]


def _record(name: str, expression: str) -> Rule:
    return Rule(record=name, expr=expression)
