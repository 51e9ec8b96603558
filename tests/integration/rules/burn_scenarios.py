"""Situations in which a budget burns, at every speed."""

from collections.abc import Iterator

from components import slo
from components.model_settings import ModelSettings
from components.monitoring_settings import AlertName
from components.recording_rules import objectives
from components.runtimes import Runtime
from components.slo import Objective
from tests.integration.rules.samples import Sample
from tests.integration.rules.scenario import Scenario, scenario
from tests.integration.rules.series import BURNING, HOUR, traffic


def burn_scenarios(model: ModelSettings, sample: Sample) -> Iterator[Scenario]:
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
                yield scenario(
                    model,
                    names[objective],
                    f"{limit * factor:.5f} are {kind}, window {window.long}",
                    BURNING,
                    fires=count > 0,
                    count=count,
                    changes=dict(traffic(sample, BURNING, **share)),
                )
        yield scenario(
            model,
            names[objective],
            f"every request is {kind}, but there are too few to tell",
            BURNING,
            fires=False,
            changes=dict(traffic(sample, BURNING, per_step=0.02, **{kind: 1.0})),
        )
        gone = dict.fromkeys(traffic(sample, HOUR))
        yield scenario(
            model, names[objective], "no series at all", HOUR // 2, fires=False, changes=dict(gone)
        )
