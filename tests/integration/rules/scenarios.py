"""Every scenario of a model.

Each alert has one in which it fires and one, close to it, in which it does not. promtool runs the rules over them.
"""

from components.settings.model import ModelSettings
from tests.integration.rules.burn_scenarios import burn_scenarios
from tests.integration.rules.kubernetes_scenarios import deployment_scenarios, pod_scenarios
from tests.integration.rules.samples import SAMPLES
from tests.integration.rules.scenario import Scenario
from tests.integration.rules.serving_scenarios import quality_scenarios, serving_scenarios


def scenarios(model: ModelSettings) -> list[Scenario]:
    """Every scenario of a model of one runtime."""
    sample = SAMPLES[model.runtime]
    return [
        *burn_scenarios(model, sample),
        *serving_scenarios(model, sample),
        *pod_scenarios(model, sample),
        *deployment_scenarios(model, sample),
        *quality_scenarios(model, sample),
    ]
