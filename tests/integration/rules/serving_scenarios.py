"""Scenarios in the model's own metrics, including its quality gauges."""

from collections.abc import Iterator

from components.runtimes.table import RUNTIMES, Runtime
from components.settings.model import ModelSettings
from components.settings.watching import AlertName
from tests.integration.rules.samples import Sample
from tests.integration.rules.scenario import Scenario, scenario
from tests.integration.rules.series import (
    GAUGES,
    GOOD,
    HOUR,
    PODS,
    STEP,
    constant,
    deployment,
    traffic,
    written,
)


def serving_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    up = [written(("up", {}), pod) for pod in PODS]
    patience = 600 + 2 * STEP
    down = {series: constant(0, patience) for series in up}
    yield scenario(
        model,
        AlertName.ABSENT,
        "all replicas are down",
        patience,
        fires=True,
        changes=dict(down),
        also={AlertName.TARGET_DOWN: 2},
    )
    yield scenario(
        model, AlertName.ABSENT, "no target at all", patience, fires=True, changes=dict.fromkeys(up)
    )
    yield scenario(
        model,
        AlertName.ABSENT,
        "the Deployment is new and its replicas still load",
        9 * 60,
        fires=False,
        changes={**dict.fromkeys(up), deployment("created"): constant(0, 9 * 60)},
    )
    yield scenario(
        model, AlertName.ABSENT, "one replica is down", 300, fires=False, changes={up[0]: constant(0, 300)}
    )
    yield scenario(
        model,
        AlertName.TARGET_DOWN,
        "one replica is down",
        patience,
        fires=True,
        changes={up[0]: constant(0, patience)},
    )
    yield scenario(
        model,
        AlertName.TARGET_DOWN,
        "one replica was down for a while",
        patience,
        fires=False,
        changes={up[0]: f"0x5 1x{patience // STEP - 5}"},
    )
    idle = 2 * HOUR
    yield scenario(
        model,
        AlertName.NO_TRAFFIC,
        "no request for two hours",
        idle,
        fires=True,
        changes=dict(traffic(sample, idle, per_step=0)),
    )
    yield scenario(
        model,
        AlertName.NO_TRAFFIC,
        "a server that shows no series before its first request",
        idle,
        fires=True,
        changes=dict.fromkeys(traffic(sample, idle)),
    )
    yield scenario(
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
            yield scenario(
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
            yield scenario(
                model,
                AlertName.LOAD_FAILED,
                f"not loaded after {failed} failures",
                300,
                fires=fires,
                changes={loaded: constant(0, 300), failures: constant(failed, 300)},
            )


def quality_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    seconds = 45 * 60
    bad = {AlertName.DRIFT: 0.3, AlertName.DATA_QUALITY: 0.90, AlertName.STALE: -90_000}
    for name, series in GAUGES.items():
        for value, fires in ((bad[name], True), (GOOD[series], False)):
            yield scenario(
                model,
                name,
                f"the gauge is {value}",
                seconds,
                fires=fires,
                changes={series: constant(value, seconds)},
            )
    drift = GAUGES[AlertName.DRIFT]
    yield scenario(
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
        yield scenario(
            model,
            AlertName.QUALITY_GAUGE_ABSENT,
            f"the gauge has been gone for {gone // 60} minutes",
            gone,
            fires=fires,
            changes={drift: None},
        )
