"""The canonical series of a feature store, and the series of the servers, Redis and Kubernetes that they come from.

All have the label `namespace`. Rates are per second over 5 minutes, durations are in seconds.
"""

from components.feature_store import names
from components.monitoring.recording_rules import NAME_LABEL
from components.monitoring.series import picked
from components.settings.stack import StackSettings

READS = "feature_store:online_reads:rate5m"
READ_ERRORS = "feature_store:online_read_errors:rate5m"
# With the label `quantile`: the whole answer, and Redis' share of it.
READ_SECONDS = "feature_store:online_read_seconds:quantile5m"
REDIS_SECONDS = "feature_store:redis_read_seconds:quantile5m"
# With the label `feature_view`.
FRESHNESS = "feature_view:freshness_seconds:max"
# Feast's own count of missing values is not usable: with Redis it counts present values too.
MISSING = "feature_store:missing_entities:ratio5m"
REDIS_MEMORY = "feature_store:redis_memory:ratio"
REDIS_EVICTIONS = "feature_store:redis_evictions:rate5m"

ENDPOINT = "/get-online-features"
QUANTILES = ("0.5", "0.99")


def of_part(stack: StackSettings, part: str, metric: str, *more: str, **labels: str) -> str:
    """A series scraped from the pods of a part."""
    return picked(metric, {"namespace": stack.namespace, NAME_LABEL: part, **labels}, *more)


def of_server(stack: StackSettings, metric: str, **labels: str) -> str:
    """A series scraped from the feature servers."""
    return of_part(stack, names.SERVER, metric, **labels)


def of_redis(stack: StackSettings, metric: str) -> str:
    """A series of the exporter in Redis' pod."""
    return of_part(stack, names.REDIS, metric)


def of_stage(stack: StackSettings, series: str, **labels: str) -> str:
    """A canonical series of the stage."""
    return picked(series, {"namespace": stack.namespace, **labels})


def cron_job(stack: StackSettings, metric: str) -> str:
    """The series of kube-state-metrics on the materialisation's CronJob: `kube_cronjob_<metric>`."""
    series = picked(
        f"kube_cronjob_{metric}", {"namespace": stack.namespace, "cronjob": names.MATERIALIZATION}
    )
    return f"max by (namespace) ({series})"


def runs(stack: StackSettings, metric: str) -> str:
    """The series of kube-state-metrics on the materialisation's runs: `kube_job_<metric>`."""
    pattern = f'job_name=~"{names.MATERIALIZATION}-[0-9]+"'
    return f"max by (namespace, job_name) ({picked(f'kube_job_{metric}', {'namespace': stack.namespace}, pattern)})"
