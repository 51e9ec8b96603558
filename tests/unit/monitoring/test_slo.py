"""Thresholds of objectives are exact, reachable and those of the workbook."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.monitoring import slo
from components.settings.watching import Severity

objectives = st.decimals(min_value="0.000001", max_value="99.999999", places=6).map(lambda d: f"{d:f}")


def test_windows_are_the_workbooks() -> None:
    found = [(w.severity, w.long, w.short, str(slo.plain(w.factor)), w.exhaustion) for w in slo.WINDOWS]
    assert found == [
        (Severity.PAGE, "1h", "5m", "14.4", "50h"),
        (Severity.PAGE, "6h", "30m", "6", "120h"),
        (Severity.TICKET, "1d", "2h", "3", "240h"),
        (Severity.TICKET, "3d", "6h", "1", "720h"),
    ]


@pytest.mark.parametrize(
    ("objective", "limits"),
    [
        ("99.9", ["0.0144", "0.006", "0.003", "0.001"]),
        ("99.99", ["0.00144", "0.0006", "0.0003", "0.0001"]),
        ("95", ["0.72", "0.3", "0.15", "0.05"]),
    ],
)
def test_thresholds_are_exact(objective: str, limits: list[str]) -> None:
    assert [slo.plain(slo.threshold(window, objective)) for window in slo.WINDOWS] == limits


@given(objectives)
def test_an_objective_is_refused_exactly_when_its_quickest_alert_cannot_fire(objective: str) -> None:
    highest = max(slo.threshold(window, objective) for window in slo.WINDOWS)
    assert (slo.refusal(objective) is None) == (0 < highest < 1)


@given(objectives)
def test_what_the_refusal_proposes_is_accepted(objective: str) -> None:
    refused = slo.refusal(objective)
    if refused is not None:
        assert slo.refusal(refused[1].split()[4]) is None


@given(st.decimals(min_value=0, max_value=1000, places=12))
def test_plain_numbers_keep_their_value_and_have_no_exponent(number: Decimal) -> None:
    text = slo.plain(number)
    assert Decimal(text) == number
    assert "E" not in text.upper()
