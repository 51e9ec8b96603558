"""Situations a model can be in, as time series, and the alerts that must fire in them and no others.

Each alert has one in which it fires and one, close to it, in which it does not. promtool runs the rules over them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components import slo
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName
from components.recording_rules import objectives
from components.runtimes import RUNTIMES, Runtime
from components.slo import Objective
from tests.integration.runtime_samples import SAMPLES, Sample, Series

NAMESPACE, NAME, VERSION = "ml-test", "a", "v1"
PODS = ("a-5d9c7b8f6-abcde", "a-5d9c7b8f6-fghij")
HOUR, DAY = 3600, 86400
# The slowest alert is pending for three hours.
BURNING = 4 * HOUR
# Seconds from sample to sample.
STEP = 60
REQUESTS_A_STEP = 6000


def written(series: Series, pod: str | None = PODS[0], version: str = VERSION) -> str:
    """A scraped series with the labels that every target has, as promtool reads it."""
    name, labels = series
    target = (
        {}
        if pod is None
        else {
            "namespace": NAMESPACE,
            "pod": pod,
            "instance": f"{pod}:8080",
            "app_kubernetes_io_name": NAME,
            "app_kubernetes_io_version": version,
        }
    )
    # Prometheus renames a label of the server's own that a target label would hide.
    own = {(f"exported_{key}" if key in target else key): value for key, value in labels.items()}
    text = ",".join(f'{key}="{value}"' for key, value in {**own, **target}.items())
    return f"{name}{{{text}}}" if ":" not in name else f'{{__name__="{name}",{text}}}'


GAUGES = {
    AlertName.DRIFT: written(("drift_distance", {})),
    AlertName.DATA_QUALITY: f'valid_share{{namespace="{NAMESPACE}",job="quality"}}',
    AlertName.STALE: written(("trained_at_seconds", {})),
}
GOOD = dict(zip(GAUGES.values(), (0.1, 0.99, 0), strict=True))


@dataclass(kw_only=True)
class Scenario:
    """A situation.

    Attributes:
        about: The alert it is there for.
        fires: True when that alert must fire.
        seconds: How long it lasts; then the alerts are looked at.
        values: The samples of each series, in promtool's notation.
        expected: How many of each alert fire.
    """

    about: AlertName
    fires: bool
    title: str
    seconds: int
    values: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)

    def as_test(self) -> dict[str, Any]:
        """The scenario as one of promtool's tests."""
        return {
            "name": f"{self.about.value}: {self.title}",
            "interval": f"{STEP}s",
            "input_series": [{"series": series, "values": values} for series, values in self.values.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": f"{self.seconds}s",
                    "exp_samples": [
                        {"labels": f'{{alertname="{name}"}}', "value": count}
                        for name, count in sorted(self.expected.items())
                    ],
                }
            ],
        }


def scenarios(model: ModelSettings) -> list[Scenario]:
    """Every situation of a model of one runtime."""
    sample = SAMPLES[model.runtime]
    return [
        *_burns(model, sample),
        *_serving(model, sample),
        *_pods(model, sample),
        *_deployments(model, sample),
        *_gauges(model, sample),
    ]


def _scenario(
    model: ModelSettings,
    about: AlertName,
    title: str,
    seconds: int,
    *,
    fires: bool,
    changes: dict[str, str | None],
    also: Mapping[AlertName, int] | None = None,
    count: int = 1,
) -> Scenario:
    changed = {**_healthy(model, SAMPLES[model.runtime], seconds), **changes}
    expected = {name.value: number for name, number in (also or {}).items()} | (
        {about.value: count} if fires else {}
    )
    return Scenario(
        about=about,
        fires=fires,
        title=title,
        seconds=seconds,
        values={series: text for series, text in changed.items() if text is not None},
        expected=expected,
    )


def constant(value: float, seconds: int) -> str:
    """The same value all the time."""
    return f"{value}x{seconds // STEP}"


def rising(per_step: float, seconds: int) -> str:
    """A counter that grows evenly."""
    return f"0+{per_step}x{seconds // STEP}"


def traffic(
    sample: Sample, seconds: int, *, per_step: float = REQUESTS_A_STEP, bad: float = 0.0, slow: float = 0.0
) -> dict[str, str]:
    """Requests to one replica, of which a fraction fails and a fraction is slow."""
    growth: dict[str, float] = defaultdict(float)
    for series in sample.good:
        growth[written(series)] += per_step * (1 - bad if sample.bad else 1)
    for series in sample.bad:
        growth[written(series)] += per_step * bad
    for index, series in enumerate(sample.buckets):
        growth[written(series)] += per_step * (1 if index == len(sample.buckets) - 1 else 1 - slow)
    if sample.count is not None:
        growth[written(sample.count)] += per_step
    return {series: rising(round(value, 6), seconds) for series, value in growth.items()}


def _healthy(model: ModelSettings, sample: Sample, seconds: int) -> dict[str, str]:
    values = traffic(sample, seconds)
    for pod in PODS:
        values[written(("up", {}), pod)] = constant(1, seconds)
    for metric, value in (
        ("spec_replicas", 2),
        ("status_replicas_ready", 2),
        ("status_replicas_available", 2),
    ):
        values[_deployment(metric)] = constant(value, seconds)
    values[_deployment("created")] = constant(-DAY, seconds)
    for series in GAUGES.values():
        values[series] = constant(GOOD[series], seconds)
    if sample.load is not None:
        values[written(sample.load)] = constant(1, seconds)
    if model.runtime is Runtime.GENERIC:
        values[written(("model_loaded", {}))] = constant(1, seconds)
        values[written(("model_load_failures_total", {}))] = constant(0, seconds)
    return values


def _deployment(metric: str, **labels: str) -> str:
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return (
        f'kube_deployment_{metric}{{namespace="{NAMESPACE}",deployment="{NAME}"{"," if text else ""}{text}}}'
    )


def _pod(metric: str, pod: str = PODS[0], **labels: str) -> str:
    text = "".join(f',{key}="{value}"' for key, value in labels.items())
    return f'{metric}{{namespace="{NAMESPACE}",pod="{pod}",container="server"{text}}}'


def _burns(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    names = {
        Objective.AVAILABILITY: AlertName.AVAILABILITY_BUDGET_BURN,
        Objective.LATENCY: AlertName.LATENCY_BUDGET_BURN,
    }
    for objective, promised in objectives(model).items():
        kind = "bad" if objective is Objective.AVAILABILITY else "slow"
        # The arithmetic is the same for all runtimes: the others show that their series reach it.
        windows = slo.WINDOWS if model.runtime is Runtime.GENERIC else slo.WINDOWS[-1:]
        # From the slowest window on: each one fires with all those before it.
        for number, window in enumerate(reversed(windows), start=1):
            limit = float(slo.threshold(window, promised))
            for factor, fires in ((1.2, True), (0.95, False)):
                share = {kind: limit * factor}
                count = number if fires else number - 1
                yield _scenario(
                    model,
                    names[objective],
                    f"{limit * factor:.5f} are {kind}, window {window.long}",
                    BURNING,
                    fires=count > 0,
                    count=count,
                    changes=dict(traffic(sample, BURNING, **share)),
                )
        yield _scenario(
            model,
            names[objective],
            f"every request is {kind}, but there are too few to tell",
            BURNING,
            fires=False,
            changes=dict(traffic(sample, BURNING, per_step=0.02, **{kind: 1.0})),
        )
        gone = dict.fromkeys(traffic(sample, HOUR))
        yield _scenario(
            model, names[objective], "no series at all", HOUR // 2, fires=False, changes=dict(gone)
        )


def _serving(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    up = [written(("up", {}), pod) for pod in PODS]
    patience = 600 + 2 * STEP
    down = {series: constant(0, patience) for series in up}
    yield _scenario(
        model,
        AlertName.ABSENT,
        "all replicas are down",
        patience,
        fires=True,
        changes=dict(down),
        also={AlertName.TARGET_DOWN: 2},
    )
    yield _scenario(
        model, AlertName.ABSENT, "no target at all", patience, fires=True, changes=dict.fromkeys(up)
    )
    yield _scenario(
        model,
        AlertName.ABSENT,
        "the Deployment is new and its replicas still load",
        9 * 60,
        fires=False,
        changes={**dict.fromkeys(up), _deployment("created"): constant(0, 9 * 60)},
    )
    yield _scenario(
        model, AlertName.ABSENT, "one replica is down", 300, fires=False, changes={up[0]: constant(0, 300)}
    )
    yield _scenario(
        model,
        AlertName.TARGET_DOWN,
        "one replica is down",
        patience,
        fires=True,
        changes={up[0]: constant(0, patience)},
    )
    yield _scenario(
        model,
        AlertName.TARGET_DOWN,
        "one replica was down for a while",
        patience,
        fires=False,
        changes={up[0]: f"0x5 1x{patience // STEP - 5}"},
    )
    idle = 2 * HOUR
    yield _scenario(
        model,
        AlertName.NO_TRAFFIC,
        "no request for two hours",
        idle,
        fires=True,
        changes=dict(traffic(sample, idle, per_step=0)),
    )
    yield _scenario(
        model,
        AlertName.NO_TRAFFIC,
        "a server that shows no series before its first request",
        idle,
        fires=True,
        changes=dict.fromkeys(traffic(sample, idle)),
    )
    yield _scenario(
        model,
        AlertName.NO_TRAFFIC,
        "a request now and then",
        idle,
        fires=False,
        changes=dict(traffic(sample, idle, per_step=0.5)),
    )
    if sample.load is not None:
        load = RUNTIMES[model.runtime].metrics.load
        assert load is not None
        for surplus, fires in ((1, True), (-1, False)):
            yield _scenario(
                model,
                AlertName.SATURATED,
                f"{load.limit} requests a replica and {surplus} more",
                15 * 60,
                fires=fires,
                changes={written(sample.load): constant(2 * load.limit + surplus, 15 * 60)},
            )
    if model.runtime is Runtime.GENERIC:
        loaded, failures = (written((name, {})) for name in ("model_loaded", "model_load_failures_total"))
        for failed, fires in ((1, True), (0, False)):
            yield _scenario(
                model,
                AlertName.LOAD_FAILED,
                f"not loaded after {failed} failures",
                300,
                fires=fires,
                changes={loaded: constant(0, 300), failures: constant(failed, 300)},
            )


def _pods(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 20 * 60
    for pod, fires in ((PODS[0], True), ("a-b-5d9c7b8f6-abcde", False)):
        waiting = _pod("kube_pod_container_status_waiting_reason", pod, reason="CrashLoopBackOff")
        whose = "its own" if fires else "another model's"
        yield _scenario(
            model,
            AlertName.CRASH_LOOPING,
            f"{whose} pod crashes",
            seconds,
            fires=fires,
            changes={waiting: constant(1, seconds)},
        )
    killed = _pod("kube_pod_container_status_last_terminated_reason", reason="OOMKilled")
    restarts = _pod("kube_pod_container_status_restarts_total")
    for restart, fires in ((f"0x10 1x{seconds // STEP - 10}", True), (constant(1, seconds), False)):
        yield _scenario(
            model,
            AlertName.OUT_OF_MEMORY_KILLED,
            "killed now" if fires else "killed long ago",
            seconds,
            fires=fires,
            changes={killed: constant(1, seconds), restarts: restart},
        )
    for used, fires in ((97, True), (90, False)):
        for prefix in ("", "exported_"):
            labels = f'{prefix}namespace="{NAMESPACE}",{prefix}pod="{PODS[0]}",gpu="0"'
            yield _scenario(
                model,
                AlertName.GPU_MEMORY_HIGH,
                f"{used} % used, label {prefix}pod",
                seconds,
                fires=fires,
                changes={
                    f"DCGM_FI_DEV_FB_USED{{{labels}}}": constant(used, seconds),
                    f"DCGM_FI_DEV_FB_FREE{{{labels}}}": constant(100 - used, seconds),
                },
            )


def _deployments(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 30 * 60
    ready, available = _deployment("status_replicas_ready"), _deployment("status_replicas_available")
    none = {ready: constant(0, seconds), available: constant(0, seconds)}
    yield _scenario(
        model,
        AlertName.NOT_READY,
        "no replica is ready",
        seconds,
        fires=True,
        changes=dict(none),
        also={AlertName.REPLICAS_BELOW_DESIRED: 1},
    )
    yield _scenario(
        model,
        AlertName.NOT_READY,
        "the exporter restarts in the middle of an outage",
        5 * 60,
        fires=True,
        changes={
            ready: None,
            ready.replace("{", '{instance="one",'): "0x2",
            ready.replace("{", '{instance="two",'): "_x2 0x3",
        },
    )
    new = {**none, _deployment("created"): constant(0, 8 * 60)}
    yield _scenario(
        model, AlertName.NOT_READY, "the Deployment is new", 8 * 60, fires=False, changes=dict(new)
    )
    stopped = {**none, _deployment("spec_replicas"): constant(0, seconds)}
    yield _scenario(
        model, AlertName.NOT_READY, "stopped on purpose", seconds, fires=False, changes=dict(stopped)
    )
    yield _scenario(
        model,
        AlertName.REPLICAS_BELOW_DESIRED,
        "one of two is missing",
        seconds,
        fires=True,
        changes={ready: constant(1, seconds), available: constant(1, seconds)},
    )
    yield _scenario(
        model,
        AlertName.REPLICAS_BELOW_DESIRED,
        "one of two was missing",
        seconds,
        fires=False,
        changes={available: f"1x8 2x{seconds // STEP - 8}"},
    )
    stuck = _deployment("status_condition", condition="Progressing", status="false")
    for value, fires in ((1, True), (0, False)):
        yield _scenario(
            model,
            AlertName.ROLLOUT_STUCK,
            f"Progressing is false: {value}",
            seconds,
            fires=fires,
            changes={stuck: constant(value, seconds)},
        )
    old = written(("up", {}), "a-6f6f6f6f6-klmno", "v0")
    for lasting, fires in ((constant(1, seconds), True), (f"1x5 _x{seconds // STEP - 5}", False)):
        yield _scenario(
            model,
            AlertName.VERSION_MISMATCH,
            "the old version stays" if fires else "the old version leaves",
            seconds,
            fires=fires,
            changes={old: lasting},
        )
    scaler = f'{{namespace="{NAMESPACE}",horizontalpodautoscaler="{NAME}"}}'
    for current, fires in ((5, True), (4, False)):
        values = {"status_current_replicas": current, "spec_max_replicas": 5, "spec_min_replicas": 2}
        yield _scenario(
            model,
            AlertName.AUTOSCALER_AT_MAXIMUM,
            f"{current} of 5",
            seconds,
            fires=fires,
            changes={
                f"kube_horizontalpodautoscaler_{metric}{scaler}": constant(value, seconds)
                for metric, value in values.items()
            },
        )


def _gauges(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 45 * 60
    bad = {AlertName.DRIFT: 0.3, AlertName.DATA_QUALITY: 0.90, AlertName.STALE: -90_000}
    for name, series in GAUGES.items():
        for value, fires in ((bad[name], True), (GOOD[series], False)):
            yield _scenario(
                model,
                name,
                f"the gauge is {value}",
                seconds,
                fires=fires,
                changes={series: constant(value, seconds)},
            )
    drift = GAUGES[AlertName.DRIFT]
    yield _scenario(
        model,
        AlertName.DRIFT,
        "two series that differ in the model alone",
        seconds,
        fires=True,
        changes={
            drift: None,
            drift.replace("{", '{model="x",'): constant(0.3, seconds),
            drift.replace("{", '{model="y",'): constant(0.1, seconds),
        },
    )
    for gone, fires in ((2 * HOUR, True), (HOUR // 2, False)):
        yield _scenario(
            model,
            AlertName.QUALITY_GAUGE_ABSENT,
            f"the gauge has been gone for {gone // 60} minutes",
            gone,
            fires=fires,
            changes={drift: None},
        )
