"""A scenario of a model, and the alerts that must fire in it, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from components.settings.model import ModelSettings
from components.settings.watching import AlertName
from tests.integration.rules.samples import SAMPLES
from tests.integration.rules.series import STEP, healthy


@dataclass(kw_only=True)
class Scenario:
    """A scenario.

    Attributes:
        about: The alert it is there for.
        fires: True when that alert must fire.
        seconds: How long it lasts; then the alerts are looked at.
        step: How often rules are evaluated.
        values: The samples of each series, in promtool's notation.
        expected: How many of each alert fire.
    """

    about: StrEnum
    fires: bool
    title: str
    seconds: int
    step: str = "1m"
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


def scenario(
    model: ModelSettings,
    about: AlertName,
    title: str,
    seconds: int,
    *,
    fires: bool,
    changes: dict[str, str | None],
    also: Mapping[AlertName, int] | None = None,
    count: int = 1,
    step: str = "1m",
) -> Scenario:
    """A healthy model except for the changed series; None removes one."""
    changed = {**healthy(model, SAMPLES[model.runtime], seconds), **changes}
    expected = {name.value: number for name, number in (also or {}).items()} | (
        {about.value: count} if fires else {}
    )
    return Scenario(
        about=about,
        fires=fires,
        title=title,
        seconds=seconds,
        step=step,
        values={series: text for series, text in changed.items() if text is not None},
        expected=expected,
    )
