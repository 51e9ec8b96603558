"""What a gate allows."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.settings.registries import Gate, MetricGate
from delivery.registries.gates import Verdict, judge

METRICS = st.decimals(min_value=-1000, max_value=1000, places=4)


def verdict(
    after: str | None, before: str | None = None, *, unknown: str | None = None, **rules: str
) -> Verdict:
    gate = Gate(metrics={"f1": MetricGate.model_validate(rules)})
    candidate = {} if after is None else {"f1": Decimal(after)}
    running = None if before is None else {"f1": Decimal(before)}
    (found,) = judge(gate, candidate, running, unknown)
    return found


@pytest.mark.parametrize(
    ("after", "before", "rules", "passed"),
    [
        ("0.85", None, {"min": "0.85"}, True),
        ("0.8499", None, {"min": "0.85"}, False),
        ("120", None, {"max": "120"}, True),
        ("120.1", None, {"max": "120"}, False),
        ("0.89", "0.90", {"maxDrop": "0.01"}, True),
        ("0.8899", "0.90", {"maxDrop": "0.01"}, False),
        ("0.95", "0.90", {"maxDrop": "0.01"}, True),
        ("110", "100", {"maxRise": "10"}, True),
        ("110.5", "100", {"maxRise": "10"}, False),
        ("90", "100", {"maxRise": "10"}, True),
        ("0.90", "0.90", {"maxDrop": "0"}, True),
        ("0.10", None, {"maxDrop": "0.01"}, True),
        (None, "0.90", {"min": "0.1"}, False),
        (None, "0.90", {"maxDrop": "1"}, False),
        ("NaN", "0.90", {"maxDrop": "1"}, False),
        ("Infinity", "Infinity", {"min": "0", "maxDrop": "1"}, False),
        ("0.2", "0.3", {"maxDrop": "0.1"}, True),
        ("0.86", "0.90", {"min": "0.85", "maxDrop": "0.01"}, False),
    ],
)
def test_a_metric_is_checked_against_its_rules(
    after: str | None, before: str | None, rules: dict[str, str], *, passed: bool
) -> None:
    assert verdict(after, before, **rules).passed is passed


def test_every_broken_rule_is_reported() -> None:
    found = verdict("0.80", "0.90", min="0.85", maxDrop="0.01")
    assert found.reason == "0.80 is below 0.85; 0.10 below the 0.90 that runs, more than 0.01"
    assert found.rule == "at least 0.85, may fall by 0.01"


def test_where_nothing_runs_a_version_is_not_compared_and_that_is_reported() -> None:
    first = verdict("0.9", maxDrop="0.01")
    assert first.passed
    assert first.reason == "nothing that runs to compare with"
    assert not verdict("0.9", min="0.1").reason


@pytest.mark.parametrize("rule", [{"maxDrop": "0.01"}, {"maxRise": "0.01"}, {"min": "0.1", "maxDrop": "1"}])
def test_what_cannot_be_compared_does_not_pass(rule: dict[str, str]) -> None:
    for running, said in (("NaN", "what runs says NaN"), ("-Infinity", "what runs says -Infinity")):
        found = verdict("0.9", running, **rule)
        assert not found.passed
        assert found.reason == f"cannot be compared: {said}"
    found = verdict("0.9", unknown="v0 runs, and is not registered", **rule)
    assert not found.passed
    assert found.reason == "cannot be compared: v0 runs, and is not registered"
    gate = Gate(metrics={"f1": MetricGate.model_validate(rule)})
    (found,) = judge(gate, {"f1": Decimal("0.9")}, {"accuracy": Decimal("0.9")})
    assert found.reason == "cannot be compared: what runs has no such metric"
    assert not found.passed


def test_what_a_rule_does_not_compare_with_may_be_unknown() -> None:
    assert verdict("0.9", unknown="v0 runs, and is not registered", min="0.1").passed
    assert verdict("0.9", "NaN", min="0.1").passed


def test_a_missing_metric_is_reported() -> None:
    assert verdict(None, min="0.1").reason == "its run has no such metric"


def test_verdicts_are_in_the_order_of_the_names() -> None:
    gate = Gate(metrics={name: MetricGate(min="0") for name in ("b", "a")})
    assert [found.metric for found in judge(gate, {}, None)] == ["a", "b"]


@given(before=METRICS, after=METRICS, drop=METRICS.filter(lambda d: d >= 0))
def test_a_fall_is_measured_exactly(before: Decimal, after: Decimal, drop: Decimal) -> None:
    found = verdict(str(after), str(before), maxDrop=str(drop))
    assert found.passed == (before - after <= drop)
