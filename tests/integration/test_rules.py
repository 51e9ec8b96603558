"""promtool, which is Prometheus' own, checks the rules of every runtime and plays situations through them."""

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from components.alerts import alerts
from components.monitoring_rules import rule_file
from components.monitoring_settings import AlertName
from components.runtimes import Runtime
from tests.integration.clone import Clone
from tests.integration.rules.scenarios import scenarios
from tests.integration.rules.series import BURNING
from tests.unit.watched import model_file, watched

# Days are played in larger steps.
_STEPS = {True: "2m", False: "1m"}


def promtool(sandbox: Clone, *arguments: str | Path) -> None:
    """Run promtool, which must find nothing wrong."""
    command = [sandbox.path / ".sandbox" / "bin" / "promtool", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


@pytest.mark.parametrize("runtime", list(Runtime))
def test_each_alert_fires_when_it_must_and_only_then(
    sandbox: Clone, tmp_path: Path, runtime: Runtime
) -> None:
    model, stack = watched(tmp_path, model_file(runtime))
    ((name, text),) = rule_file(model, stack).items()
    (tmp_path / name).write_text(text)
    promtool(sandbox, "check", "rules", "--lint=all", "--lint-fatal", tmp_path / name)
    played = scenarios(model)
    for slow, step in _STEPS.items():
        tests = [scenario.as_test() for scenario in played if (scenario.seconds >= BURNING) == slow]
        content = {"rule_files": [name], "evaluation_interval": step, "tests": tests}
        (tmp_path / f"{step}.test.yaml").write_text(yaml.safe_dump(content))
    promtool(sandbox, "test", "rules", *(tmp_path / f"{step}.test.yaml" for step in _STEPS.values()))


@pytest.mark.parametrize("runtime", list(Runtime))
def test_no_alert_lacks_a_situation_in_which_it_fires_and_one_in_which_it_does_not(
    tmp_path: Path, runtime: Runtime
) -> None:
    model, stack = watched(tmp_path, model_file(runtime))
    seen: dict[AlertName, set[bool]] = defaultdict(set)
    for scenario in scenarios(model):
        seen[scenario.about].add(scenario.fires)
    assert {alert.name for alert in alerts(model, stack)} == set(seen)
    assert all(outcomes == {True, False} for outcomes in seen.values())


def test_a_rule_that_is_wrong_is_found(sandbox: Clone, tmp_path: Path) -> None:
    model, stack = watched(tmp_path, model_file(Runtime.GENERIC))
    ((name, text),) = rule_file(model, stack).items()
    (tmp_path / name).write_text(text.replace("> 0.0144", "> 0.9"))
    burning = [scenario for scenario in scenarios(model) if scenario.seconds >= BURNING and scenario.fires]
    content = {
        "rule_files": [name],
        "evaluation_interval": "2m",
        "tests": [scenario.as_test() for scenario in burning],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(AssertionError, match="ModelAvailabilityBudgetBurn"):
        promtool(sandbox, "test", "rules", tmp_path / "test.yaml")
