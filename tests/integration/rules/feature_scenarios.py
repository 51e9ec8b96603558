"""Scenarios of a feature store: each alert fires in one, and does not in a similar one.

The metrics' names and labels are written down apart from the components, so that a wrong name there fails.
"""

from collections.abc import Iterator, Mapping

from components.settings.feature_store import FeatureAlertName
from tests.integration.rules.scenario import Scenario
from tests.integration.rules.series import DAY, HOUR, NAMESPACE, STEP, constant, rising

SERVERS = ("feature-store-5d9c7b8f6-abcde", "feature-store-5d9c7b8f6-fghij")
REDIS = "feature-store-redis-0"
VIEW = "author_posts"
MAXIMUM = 1000


def scraped(metric: str, pod: str, part: str = "feature-store", **labels: str) -> str:
    """A series with the labels that every target of a part has."""
    target = {"namespace": NAMESPACE, "pod": pod, "app_kubernetes_io_name": part}
    text = ",".join(f'{key}="{value}"' for key, value in {**labels, **target}.items())
    return f"{metric}{{{text}}}"


def redis(metric: str) -> str:
    return scraped(metric, REDIS, "feature-store-redis")


def requests(status: str) -> str:
    return scraped(
        "feast_feature_server_request_total", SERVERS[0], endpoint="/get-online-features", status=status
    )


def answers(edge: str) -> str:
    return scraped(
        "feast_feature_server_request_latency_seconds_bucket",
        SERVERS[0],
        endpoint="/get-online-features",
        feature_count="1-10",
        feature_view_count="1",
        le=edge,
    )


def freshness(pod: str) -> str:
    return scraped("feast_feature_freshness_seconds", pod, feature_view=VIEW, project="ml_deployments_test")


def deployment(metric: str) -> str:
    return f'kube_deployment_{metric}{{namespace="{NAMESPACE}",deployment="feature-store"}}'


def cron_job(metric: str) -> str:
    return f'kube_cronjob_{metric}{{namespace="{NAMESPACE}",cronjob="feature-store-materialization"}}'


def run(metric: str, number: int, **labels: str) -> str:
    text = "".join(f',{key}="{value}"' for key, value in labels.items())
    name = f"feature-store-materialization-{number}"
    return f'kube_job_{metric}{{namespace="{NAMESPACE}",job_name="{name}"{text}}}'


def healthy(seconds: int) -> dict[str, str]:
    """The series of a healthy store."""
    found = {
        requests("success"): rising(6000, seconds),
        answers("0.05"): rising(6000, seconds),
        answers("0.25"): rising(6000, seconds),
        answers("+Inf"): rising(6000, seconds),
        redis("redis_keyspace_hits_total"): rising(11000, seconds),
        redis("redis_keyspace_misses_total"): rising(1000, seconds),
        redis("redis_up"): constant(1, seconds),
        redis("redis_memory_used_bytes"): constant(MAXIMUM // 2, seconds),
        redis("redis_memory_max_bytes"): constant(MAXIMUM, seconds),
        redis("redis_evicted_keys_total"): constant(0, seconds),
        deployment("spec_replicas"): constant(2, seconds),
        deployment("status_replicas_available"): constant(2, seconds),
        cron_job("created"): constant(-DAY, seconds),
        cron_job("status_last_successful_time"): constant(0, seconds),
        run("status_start_time", 1): constant(0, seconds),
        run("status_failed", 1): constant(0, seconds),
    }
    for pod in SERVERS:
        found[scraped("up", pod)] = constant(1, seconds)
        found[freshness(pod)] = constant(600, seconds)
    return found


def _scenario(
    about: FeatureAlertName,
    title: str,
    seconds: int,
    changes: Mapping[str, str | None],
    *,
    fires: bool,
    also: tuple[FeatureAlertName, ...] = (),
) -> Scenario:
    changed = {**healthy(seconds), **changes}
    return Scenario(
        about=about,
        fires=fires,
        title=title,
        seconds=seconds,
        values={series: text for series, text in changed.items() if text is not None},
        expected={name.value: 1 for name in (*also, *([about] if fires else []))},
    )


def feature_scenarios() -> Iterator[Scenario]:
    """Every scenario; each alert has one in which it fires and one in which it does not."""
    yield from _serving()
    yield from _views()
    yield from _materialization()
    yield from _online_store()


def _serving() -> Iterator[Scenario]:
    up = [scraped("up", pod) for pod in SERVERS]
    time = 300 + 2 * STEP
    yield _scenario(
        FeatureAlertName.ABSENT,
        "all are down",
        time,
        {series: constant(0, time) for series in up},
        fires=True,
    )
    yield _scenario(FeatureAlertName.ABSENT, "one is down", time, {up[0]: constant(0, time)}, fires=False)
    for title, failed, fires in (("2 in 100 fail", 120, True), ("5 in 1000 fail", 30, False)):
        changes = {requests("success"): rising(6000 - failed, 900), requests("error"): rising(failed, 900)}
        yield _scenario(FeatureAlertName.READ_ERRORS, title, 900, changes, fires=fires)
    for title, slow, fires in (("2 in 100 are slow", 120, True), ("5 in 1000 are slow", 30, False)):
        yield _scenario(
            FeatureAlertName.READS_SLOW, title, 900, {answers("0.05"): rising(6000 - slow, 900)}, fires=fires
        )
    missing = {deployment("status_replicas_available"): constant(1, HOUR)}
    about = FeatureAlertName.REPLICAS_BELOW_DESIRED
    yield _scenario(about, "one is missing for long", 900 + 2 * STEP, missing, fires=True)
    yield _scenario(about, "one is missing for a while", 600, missing, fires=False)


def _views() -> Iterator[Scenario]:
    both = [freshness(pod) for pod in SERVERS]
    aging = dict.fromkeys(both, f"3000+{STEP}x20")
    yield _scenario(FeatureAlertName.VIEW_STALE, "no run for over an hour", 1200, aging, fires=True)
    yield _scenario(FeatureAlertName.VIEW_STALE, "just not an hour", 540, aging, fires=False)
    never: dict[str, str | None] = dict.fromkeys(both)
    time = HOUR + 2 * STEP
    about = FeatureAlertName.VIEW_NEVER_MATERIALIZED
    yield _scenario(about, "no server knows it", time, never, fires=True)
    yield _scenario(about, "the first run is awaited", HOUR - 10 * STEP, never, fires=False)
    yield _scenario(
        about,
        "no server is up",
        time,
        {**never, **{scraped("up", pod): constant(0, time) for pod in SERVERS}},
        fires=False,
        also=(FeatureAlertName.ABSENT,),
    )


def _materialization() -> Iterator[Scenario]:
    failed = {
        run("status_start_time", 2): constant(300, 900),
        run("status_failed", 2, reason="BackoffLimitExceeded"): constant(1, 900),
    }
    about = FeatureAlertName.MATERIALIZATION_FAILED
    yield _scenario(about, "the newest run failed", 900, failed, fires=True)
    yield _scenario(
        about,
        "the first run failed and none was good",
        900,
        {**failed, cron_job("status_last_successful_time"): None},
        fires=True,
    )
    yield _scenario(
        about,
        "a later run was good",
        900,
        {**failed, cron_job("status_last_successful_time"): constant(600, 900)},
        fires=False,
    )


def _online_store() -> Iterator[Scenario]:
    up, used, evicted = (redis(f"redis_{m}") for m in ("up", "memory_used_bytes", "evicted_keys_total"))
    about = FeatureAlertName.REDIS_DOWN
    yield _scenario(about, "it does not answer", 300, {up: constant(0, 300)}, fires=True)
    yield _scenario(about, "its exporter is gone", 300, {up: None}, fires=True)
    yield _scenario(about, "it restarts", 300, {up: "1 1 1 0 1 1"}, fires=False)
    misses = redis("redis_keyspace_misses_total")
    for title, missing, fires in (("3 in 14 are missing", 3000, True), ("1 in 12 is missing", 1000, False)):
        about = FeatureAlertName.MISSING_ENTITIES
        yield _scenario(about, title, 1500, {misses: rising(missing, 1500)}, fires=fires)
    about = FeatureAlertName.REDIS_MEMORY_HIGH
    yield _scenario(about, "nearly full", 900, {used: constant(900, 900)}, fires=True)
    yield _scenario(about, "room is left", 900, {used: constant(800, 900)}, fires=False)
    about = FeatureAlertName.REDIS_EVICTING
    yield _scenario(about, "keys are dropped", 900, {evicted: rising(5, 900)}, fires=True)
    yield _scenario(about, "keys were dropped long ago", 1800, {evicted: "0+5x3 15x27"}, fires=False)
