"""promtool, which is Prometheus' own, checks the rules of every runtime and runs scenarios through them."""

import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.alerts.model import alerts
from components.runtimes.table import Runtime
from components.serving.monitoring import rule_file
from components.settings.watching import AlertName
from sandbox.harness.clone import Clone
from tests.integration.rules.rule_closure import made_of
from tests.integration.rules.scenarios import scenarios
from tests.support.watched import model_file, watched


def promtool(sandbox: Clone, *arguments: str | Path) -> None:
    """Run promtool, which must find nothing wrong."""
    command = [sandbox.path / ".sandbox" / "bin" / "promtool", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> dict[str, frozenset[str]]:
    """The rules of each alert of a generic model."""
    (text,) = rule_file(watched(tmp_path_factory.mktemp("generic"), model_file(Runtime.GENERIC))).values()
    return made_of(text)


@pytest.mark.parametrize("runtime", list(Runtime))
def test_each_alert_fires_when_it_must_and_only_then(
    sandbox: Clone, tmp_path: Path, generic: dict[str, frozenset[str]], runtime: Runtime
) -> None:
    staged = watched(tmp_path, model_file(runtime))
    ((name, text),) = rule_file(staged).items()
    (tmp_path / name).write_text(text)
    promtool(sandbox, "check", "rules", "--lint=all", "--lint-fatal", tmp_path / name)
    own = made_of(text)
    played: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for scenario in scenarios(staged.model):
        # The same rules, to the letter, are played for the generic model alone.
        if runtime is Runtime.GENERIC or own[scenario.about] != generic.get(scenario.about):
            played[scenario.step].append(scenario.as_test())
    assert played
    for step, tests in played.items():
        content = {"rule_files": [name], "evaluation_interval": step, "tests": tests}
        (tmp_path / f"{step}-steps.yaml").write_text(yaml.safe_dump(content))
    promtool(sandbox, "test", "rules", *sorted(tmp_path.glob("*-steps.yaml")))


@pytest.mark.parametrize("runtime", list(Runtime))
def test_every_alert_has_a_scenario_in_which_it_fires_and_one_in_which_it_does_not(
    tmp_path: Path, runtime: Runtime
) -> None:
    staged = watched(tmp_path, model_file(runtime))
    seen: dict[str, set[bool]] = defaultdict(set)
    for scenario in scenarios(staged.model):
        seen[scenario.about].add(scenario.fires)
    assert {alert.name for alert in alerts(staged)} == set(seen)
    assert all(outcomes == {True, False} for outcomes in seen.values())


WRONG = {
    "threshold": ("> 0.0144", "> 0.9"),
    "long window": ('slo="availability",window="1h"} > 0.0144', 'slo="availability",window="5m"} > 0.0144'),
    "short window": ('slo="availability",window="5m"} > 0.0144', 'slo="availability",window="1h"} > 0.0144'),
    "count of requests": ("30 * sum_over_time", "1 * sum_over_time"),
    "count without a window": ("30 * sum_over_time", "1000 * sum_over_time"),
}


@pytest.mark.parametrize(("old", "new"), list(WRONG.values()), ids=list(WRONG))
def test_a_rule_that_is_wrong_is_found(sandbox: Clone, tmp_path: Path, old: str, new: str) -> None:
    staged = watched(tmp_path, model_file(Runtime.GENERIC))
    ((name, text),) = rule_file(staged).items()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    burns = [scenario for scenario in scenarios(staged.model) if "Burn" in scenario.about.value]
    quick = [scenario for scenario in burns if scenario.step != "2m"]
    # The one in which all four pairs of windows fire.
    worst = max(
        burns, key=lambda scenario: scenario.expected.get(AlertName.AVAILABILITY_BUDGET_BURN.value, 0)
    )
    for step in ("30s", "1m", "2m"):
        tests = [scenario.as_test() for scenario in [*quick, worst] if scenario.step == step]
        content = {"rule_files": [name], "evaluation_interval": step, "tests": tests}
        (tmp_path / f"{step}-steps.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(AssertionError, match="BudgetBurn"):
        promtool(sandbox, "test", "rules", *sorted(tmp_path.glob("*-steps.yaml")))
