"""Scenarios in which a budget burns, at every rate."""

from collections.abc import Iterator

from components.monitoring import slo
from components.monitoring.recording_rules import objectives
from components.monitoring.slo import Objective
from components.runtimes.table import Runtime
from components.settings.model import ModelSettings
from components.settings.watching import AlertName
from tests.integration.rules.samples import Sample
from tests.integration.rules.scenario import Scenario, scenario
from tests.integration.rules.series import BURNING, HOUR, STEP, phases, traffic

_NAMES = {
    Objective.AVAILABILITY: AlertName.AVAILABILITY_BUDGET_BURN,
    Objective.LATENCY: AlertName.LATENCY_BUDGET_BURN,
}
# Days are simulated in steps of the slower group of rules.
_STEP = "2m"


def burn_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    for objective, promised in objectives(model).items():
        name, kind = _NAMES[objective], "bad" if objective is Objective.AVAILABILITY else "slow"
        yield from _at_every_speed(model, sample, name, kind, promised)
        gone = dict.fromkeys(traffic(sample, HOUR))
        yield scenario(model, name, "no series at all", HOUR // 2, fires=False, changes=dict(gone))
        if model.runtime is Runtime.GENERIC:
            yield from _too_few_requests(model, sample, name, kind)
    if model.runtime is Runtime.GENERIC:
        yield from _of_two_windows(model, sample)


def _at_every_speed(
    model: ModelSettings, sample: Sample, name: AlertName, kind: str, promised: str
) -> Iterator[Scenario]:
    # The arithmetic is the same for all runtimes: the others show that their series reach it.
    windows = slo.WINDOWS if model.runtime is Runtime.GENERIC else slo.WINDOWS[-1:]
    # From the slowest window on: each one fires with all those before it.
    for number, window in enumerate(reversed(windows), start=1):
        limit = float(slo.threshold(window, promised))
        for factor, fires in ((1.2, True), (0.95, False)):
            count = number if fires else number - 1
            yield scenario(
                model,
                name,
                f"{limit * factor:.5f} are {kind}, window {window.long}",
                BURNING,
                fires=count > 0,
                count=count,
                step=_STEP,
                changes=dict(traffic(sample, BURNING, **{kind: limit * factor})),
            )


def _of_two_windows(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
    """Both windows must burn: a short burst does not fill the long one, and what is over is not in the short one."""
    name = AlertName.AVAILABILITY_BUDGET_BURN
    burst = [(3 * HOUR, 0.0), (300, 0.1)]
    over = [(2 * HOUR, 0.1), (1200, 0.0)]
    for title, parts, count in (
        ("a burst of five minutes", burst, 0),
        ("over for twenty minutes, of which the windows of 30 minutes and 2 hours still know", over, 2),
    ):
        yield scenario(
            model,
            name,
            title,
            sum(seconds for seconds, _ in parts),
            fires=count > 0,
            count=count,
            changes=dict(phases(sample, parts)),
        )


def _too_few_requests(model: ModelSettings, sample: Sample, name: AlertName, kind: str) -> Iterator[Scenario]:
    """Every request is bad, and there are slightly fewer or more than slo.minimumRequests."""
    seconds = 40 * 60
    for share, count in ((0.8, 0), (1.3, 1)):
        wanted = share * model.slo.minimum_requests / (seconds / STEP)
        yield scenario(
            model,
            name,
            f"{share} times the minimum of requests, all {kind}",
            seconds,
            fires=count > 0,
            count=count,
            step="30s",
            changes=dict(traffic(sample, seconds, per_step=wanted, **{kind: 1.0})),
        )
