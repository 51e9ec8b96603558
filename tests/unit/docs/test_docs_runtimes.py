"""The table of runtimes in docs/monitoring.md, and the stages that use each, say what components/runtimes says."""

import re

import pytest
import yaml

from components.runtimes.metrics import Histogram, Mean
from components.runtimes.table import RUNTIMES, Runtime
from tests.support.pages import DOCS
from tests.support.rich_stages import RICH_STAGES

PAGE = (DOCS / "monitoring.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## The runtimes\n")[2].partition("\n## ")[0]
# A vertical line inside a cell is escaped.
ROWS = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in SECTION.splitlines() if line.startswith("|")]


def row(runtime: Runtime) -> list[str]:
    (found,) = (cells[1:] for cells in ROWS if cells[0] == runtime)
    return found


def metrics(cell: str) -> set[str]:
    """The names of metrics in a cell."""
    return set(re.findall(r"`([A-Za-z_:][\w:]*)`", cell))


def matchers(cell: str) -> list[str]:
    """The matchers of labels in a cell; a long one ends where the page leaves out the rest."""
    found = re.findall(r"`([a-z_]+[=!][^`]+)`", cell.replace("\\|", "|"))
    return [matcher.removesuffix('|..."') for matcher in found]


def test_the_page_and_the_rich_stages_have_every_runtime() -> None:
    assert [cells[0] for cells in ROWS[2:]] == list(Runtime) == list(RUNTIMES)
    for name in ("runtimes-configmap", "runtimes-operator"):
        assert set(RICH_STAGES[name].models) == set(Runtime)


@pytest.mark.parametrize("runtime", Runtime)
def test_the_row_of_a_runtime_names_its_requests_and_errors(runtime: Runtime) -> None:
    requests, errors, *_ = row(runtime)
    known = RUNTIMES[runtime].metrics

    assert metrics(requests) == {metric.name for metric in known.requests}
    assert all(any(m in metric.matchers for metric in known.requests) for m in matchers(requests))
    if known.errors is None:
        assert errors == "-"
    else:
        # "The same with ..." is one that counts the requests too.
        named = metrics(errors) or metrics(requests)
        assert {metric.name for metric in known.errors} <= named
        assert all(any(m in metric.matchers for metric in known.errors) for m in matchers(errors))
        assert bool(matchers(errors)) == any(metric.matchers for metric in known.errors)


@pytest.mark.parametrize("runtime", Runtime)
def test_the_row_of_a_runtime_names_its_latency_load_and_loading(runtime: Runtime) -> None:
    *_, latency, load, loading = row(runtime)
    known = RUNTIMES[runtime].metrics

    if isinstance(known.latency, Histogram):
        assert latency.startswith(f"histogram `{known.latency.name}`")
        assert all(matcher in known.latency.matchers for matcher in matchers(latency))
    elif isinstance(known.latency, Mean):
        assert latency == f"mean: `{known.latency.total}` / `{known.latency.count}`"
    else:
        assert latency == "-"
    if known.load is None:
        assert load == "-"
    else:
        waiting = "waiting" if known.load.waiting else "in progress"
        assert load == f"`{known.load.name}`, {known.load.limit} {waiting}"
    assert metrics(loading) == (
        set() if known.loading is None else {known.loading.loaded, known.loading.failures}
    )


@pytest.mark.parametrize("runtime", Runtime)
def test_the_rich_stages_have_a_latency_objective_where_the_runtime_has_a_histogram(runtime: Runtime) -> None:
    model = yaml.safe_load(RICH_STAGES["runtimes-operator"].models[runtime])

    assert ("latency" in model["slo"]) == isinstance(RUNTIMES[runtime].metrics.latency, Histogram)
