"""promtool, which is Prometheus' own, checks a feature store's rules and runs scenarios through them."""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from components.feature_store.alerts import feature_alerts
from components.feature_store.rules import feature_rule_file
from components.files.sources import Sources
from components.settings.feature_store import FeatureAlertName
from components.settings.stack import StackSettings
from components.stack import load_stack
from sandbox.harness.clone import Clone
from tests.integration.rules.feature_scenarios import feature_scenarios
from tests.integration.rules.test_rules import promtool
from tests.support.features import STORE, write_features
from tests.support.projects import entry, project


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    write_features(tmp_path)
    folder = project(tmp_path, entry('version: "v1"\nreplicas: 2') + STORE)
    return load_stack(Sources.of(folder), "test").settings


def rule_file(stack: StackSettings, folder: Path, old: str = "", new: str = "") -> Path:
    """The rules in a file, with one text replaced by another."""
    assert stack.feature_store is not None
    ((name, text),) = feature_rule_file(stack.feature_store, stack).items()
    assert old in text
    (folder / name).write_text(text.replace(old, new) if old else text)
    return folder / name


def play(sandbox: Clone, rules: Path) -> None:
    """Run every scenario through the rules."""
    tests = [scenario.as_test() for scenario in feature_scenarios()]
    content = {"rule_files": [rules.name], "evaluation_interval": "1m", "tests": tests}
    (rules.parent / "scenarios.yaml").write_text(yaml.safe_dump(content))
    promtool(sandbox, "test", "rules", rules.parent / "scenarios.yaml")


def test_each_alert_fires_when_it_must_and_only_then(
    sandbox: Clone, tmp_path: Path, stack: StackSettings
) -> None:
    rules = rule_file(stack, tmp_path)
    promtool(sandbox, "check", "rules", "--lint=all", "--lint-fatal", rules)
    play(sandbox, rules)


def test_every_alert_has_a_scenario_in_which_it_fires_and_one_in_which_it_does_not(
    stack: StackSettings,
) -> None:
    assert stack.feature_store is not None
    seen: dict[str, set[bool]] = defaultdict(set)
    for scenario in feature_scenarios():
        seen[scenario.about].add(scenario.fires)
    assert {alert.name for alert in feature_alerts(stack.feature_store, stack)} == set(FeatureAlertName)
    assert set(seen) == set(FeatureAlertName)
    assert all(outcomes == {True, False} for outcomes in seen.values())


WRONG = {
    "freshness": ("> 3600", "> 7200"),
    "share of errors": ("> 0.01", "> 0.5"),
    "the good run": ("kube_cronjob_status_last_successful_time", "kube_cronjob_created"),
    "misses": ("redis_keyspace_misses_total", "redis_keyspace_hits_total"),
    "memory": ("redis_memory_max_bytes", "redis_memory_limit_bytes"),
}


@pytest.mark.parametrize(("old", "new"), list(WRONG.values()), ids=list(WRONG))
def test_a_rule_that_is_wrong_is_found(
    sandbox: Clone, tmp_path: Path, stack: StackSettings, old: str, new: str
) -> None:
    with pytest.raises(AssertionError, match="Feature"):
        play(sandbox, rule_file(stack, tmp_path, old, new))
