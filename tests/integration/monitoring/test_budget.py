"""Thirty days of samples in a real Prometheus: the budget is what a count of the requests says."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from components.monitoring import series
from components.monitoring.model_rules import rule_groups
from components.monitoring.recording_rules import COUNT_SECONDS, Rule
from components.runtimes.table import Runtime
from sandbox.harness.clone import Clone
from sandbox.harness.prometheus import Prometheus, prometheus
from tests.support.watched import model_file, watched

STEP, DAY, DAYS = 120, 86400, 31
# The end of the samples: a fixed full day, independent of the clock.
END = 1_760_000_000 // DAY * DAY
LABELS = 'namespace="ml-test",app_kubernetes_io_name="a",app_kubernetes_io_version="v1",pod="p",instance="i",job="a"'
WINDOWS = {"1d": 1, "3d": 3, "30d": 30}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What happens between two samples, as counts of requests."""

    at: int
    good: int
    bad: int
    slow: int


def moments() -> list[Moment]:
    """Busy days, and quiet nights in which every fiftieth request fails: ratios and counts differ."""
    found = []
    for at in range(END - DAYS * DAY + STEP, END + 1, STEP):
        night = at % DAY < DAY // 3
        total, bad = (100, 2) if night else (1200, 0)
        # The last two days are slow.
        slow = total // 50 if at > END - 2 * DAY else 0
        found.append(Moment(at=at, good=total - bad, bad=bad, slow=slow))
    return found


def exposition(history: list[Moment]) -> Iterator[str]:
    """The history as a server would have exposed it, in the OpenMetrics format."""
    good = bad = slow = 0
    lines: dict[str, list[str]] = {"good": [], "bad": [], "within": [], "all": [], "count": []}
    for moment in history:
        good, bad, slow = good + moment.good, bad + moment.bad, slow + moment.slow
        lines["good"].append(f'model_requests_total{{code="200",{LABELS}}} {good} {moment.at}')
        lines["bad"].append(f'model_requests_total{{code="500",{LABELS}}} {bad} {moment.at}')
        bucket = f"model_request_duration_seconds_bucket{{{LABELS},le="
        lines["within"].append(f'{bucket}"0.5"}} {good + bad - slow} {moment.at}')
        lines["all"].append(f'{bucket}"+Inf"}} {good + bad} {moment.at}')
        lines["count"].append(f"model_request_duration_seconds_count{{{LABELS}}} {good + bad} {moment.at}")
    yield "# TYPE model_requests counter"
    yield from (*lines["good"], *lines["bad"])
    yield "# TYPE model_request_duration_seconds histogram"
    yield from (*lines["within"], *lines["all"], *lines["count"])
    yield "# EOF"


class Backfill:
    """Writes blocks of samples and of recorded rules into the data of a Prometheus."""

    def __init__(self, binaries: Path, folder: Path, rules: list[Rule]) -> None:
        self._binaries, self._folder, self._rules = binaries, folder, rules
        (folder / "config.yaml").write_text("{}\n")
        (folder / "data").mkdir()

    def samples(self, lines: Iterator[str]) -> None:
        """Write raw samples."""
        text = self._folder / "samples.txt"
        text.write_text("\n".join(lines) + "\n")
        self._promtool("openmetrics", text, self._folder / "data")

    def record(self, *names: str, start: int = END - DAYS * DAY, **labels: str) -> None:
        """Record the rules of these names and labels over the samples there are."""
        wanted = [
            rule
            for rule in self._rules
            if rule.get("record") in names and labels.items() <= rule["labels"].items()
        ]
        assert wanted, names
        path = self._folder / "rules.yaml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "backfilled", "rules": wanted}]}))
        with self.serving() as server:
            self._promtool(
                "rules",
                f"--url={server.address}",
                f"--start={start}",
                f"--end={END}",
                f"--eval-interval={COUNT_SECONDS}s",
                f"--output-dir={self._folder / 'data'}",
                path,
            )

    def serving(self) -> AbstractContextManager[Prometheus]:
        """A Prometheus over what has been written."""
        return prometheus(
            self._binaries / "prometheus",
            self._folder / "config.yaml",
            self._folder,
            retention="10y",
        )

    def _promtool(self, *arguments: str | Path) -> None:
        command = [
            str(self._binaries / "promtool"),
            "tsdb",
            "create-blocks-from",
            "--max-block-duration=256h",
            *map(str, arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def month(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with a month of samples and of everything that the rules record from them, up to the end."""
    folder = tmp_path_factory.mktemp("month")
    staged = watched(tmp_path_factory.mktemp("project"), model_file(Runtime.GENERIC))
    rules = [rule for group in rule_groups(staged) for rule in group["rules"]]
    backfill = Backfill(sandbox.path / ".sandbox" / "bin", folder, rules)
    backfill.samples(exposition(moments()))
    # Rules that read what others record come after them.
    backfill.record(series.REQUESTS, series.ERRORS)
    backfill.record(series.SLO_REQUESTS, series.SLO_ERRORS)
    backfill.record(series.SLO_REQUESTS_COUNT, series.SLO_ERRORS_COUNT)
    for window in WINDOWS:
        backfill.record(series.SLO_ERROR_RATIO, start=END - 600, window=window)
    backfill.record(series.SLO_BUDGET_REMAINING, start=END - 600)
    with backfill.serving() as server:
        yield server


def bad_share(objective: str, days: int) -> float:
    """The share of bad requests in the last days, counted one by one."""
    counted = [moment for moment in moments() if moment.at > END - days * DAY]
    bad = sum(moment.bad if objective == "availability" else moment.slow for moment in counted)
    return bad / sum(moment.good + moment.bad for moment in counted)


@pytest.mark.parametrize("objective", ["availability", "latency"])
@pytest.mark.parametrize("window", list(WINDOWS))
def test_the_ratio_of_a_window_is_a_count_of_its_requests(
    month: Prometheus, objective: str, window: str
) -> None:
    found = month.value(f'{series.SLO_ERROR_RATIO}{{slo="{objective}",window="{window}"}}', END)
    assert found == pytest.approx(bad_share(objective, WINDOWS[window]), rel=0.005)


def test_an_average_of_ratios_would_be_wrong(month: Prometheus) -> None:
    average = month.value(
        f"avg_over_time(({series.SLO_ERRORS}{{slo='availability'}} / {series.SLO_REQUESTS}{{slo='availability'}})"
        "[30d:2m])",
        END,
    )
    assert average > 3 * bad_share("availability", 30)


@pytest.mark.parametrize(("objective", "allowed"), [("availability", 0.001), ("latency", 0.01)])
def test_what_is_left_of_the_budget(month: Prometheus, objective: str, allowed: float) -> None:
    found = month.value(f'{series.SLO_BUDGET_REMAINING}{{slo="{objective}"}}', END)
    assert found == pytest.approx(1 - bad_share(objective, 30) / allowed, abs=0.01)
