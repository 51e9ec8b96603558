"""The documentation says what the code does: pages, links, examples, names and counts."""

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.monitoring import series
from components.monitoring.alerts.model import alerts
from components.settings.feature_store import FeatureAlertName
from components.settings.watching import AlertName
from components.stack import load_stack
from delivery.checking.check import check
from tests.support.pages import DOCS, PAGES, blocks, prose, relative
from tests.support.projects import CHECKOUT, MODEL, entry, project

RUNBOOKS = DOCS / "runbooks"
SECTIONS = ["What it means", "First look", "First action", "Tune or switch off"]
# A model that has every alert.
WATCHED = """\
owner: team-a
image: registry.example.com/team/model
resources:
  requests: {cpu: "1", memory: 2Gi}
  limits: {memory: 4Gi, nvidia.com/gpu: "1"}
rollout: {maxSurge: 1}
slo:
  availability: "99.9"
  latency: {objective: "99", threshold: 0.5s}
quality:
  shift: {kind: drift, metric: shift, threshold: "0.1", direction: above}
  missing: {kind: dataQuality, metric: missing, threshold: "0.1", direction: above}
  age: {kind: staleness, metric: age, threshold: "60"}
"""
LONGEST_RUNBOOK = 40
LONGEST_LINE = 125


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link to a heading ends in: lower case, no punctuation, dashes for spaces."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def relative_links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files a page links to inside the checkout, with the anchor."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (page.parent / file).resolve() if file else page, anchor


@pytest.mark.parametrize("alert", [*AlertName, *FeatureAlertName], ids=str)
def test_every_alert_has_a_short_runbook_of_four_sections(alert: StrEnum) -> None:
    page = RUNBOOKS / f"{alert}.md"
    lines = page.read_text(encoding="utf-8").splitlines()

    assert headings(page) == [alert.value, *SECTIONS]
    assert len(lines) <= LONGEST_RUNBOOK
    assert blocks(page, "sh"), "the first look has no command"


def test_every_runbook_belongs_to_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {*AlertName, *FeatureAlertName, "README"}


@pytest.mark.parametrize(
    ("page", "alerts"),
    [
        (RUNBOOKS / "README.md", [*AlertName, *FeatureAlertName]),
        (DOCS / "monitoring.md", list(AlertName)),
        (DOCS / "feature-store.md", list(FeatureAlertName)),
    ],
    ids=lambda value: relative(value) if isinstance(value, Path) else "",
)
def test_the_tables_list_every_alert(page: Path, alerts: list[StrEnum]) -> None:
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]

    assert [alert for alert in alerts if not any(re.search(rf"\b{alert}\b", row) for row in rows)] == []


def test_severities_and_fixed_times_are_those_of_the_rules(tmp_path: Path) -> None:
    stack = load_stack(Sources.of(project(tmp_path, a=WATCHED)), "test").settings
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    known = alerts(StagedModel(stack.models[0], stack))

    assert {alert.name for alert in known} == set(AlertName)
    for alert in known:
        (row,) = re.findall(
            rf"^\| .*\b{alert.name}\b.* \|$", text.partition("## The canonical")[0], re.MULTILINE
        )
        _, severity, _, pending, _ = row.strip("| ").split(" | ")
        assert alert.severity in severity.split(", "), row
        assert pending == alert.pending or not re.fullmatch(r"[0-9]+[smhd]", pending), row
        (line,) = re.findall(rf"^\| \[{alert.name}\].*$", index, re.MULTILINE)
        assert alert.severity in line.split(" | ")[2].split(", "), line


@pytest.mark.parametrize("page", sorted(set(RUNBOOKS.glob("*.md")) - {RUNBOOKS / "README.md"}), ids=relative)
def test_queries_of_runbooks_parse(page: Path) -> None:
    queries = [line for block in blocks(page, "promql") for line in block.splitlines()]

    assert queries
    for query in queries:
        promql_parser.parse(re.sub(r"<[a-z._]+>", "a", query.partition("    #")[0]))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    dead = [
        f"{target}#{anchor}"
        for target, anchor in relative_links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert dead == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "settings.md"], ids=relative)
def test_lines_of_prose_are_short(page: Path) -> None:
    """Tables and blocks cannot be broken; docs/settings.md is generated."""
    found = [
        line for line in prose(page).splitlines() if not line.startswith("|") and len(line) > LONGEST_LINE
    ]

    assert found == []


@pytest.mark.parametrize("text", blocks(DOCS / "monitoring.md", "yaml"))
def test_the_fragments_of_the_monitoring_page_are_accepted(text: str, tmp_path: Path) -> None:
    """A stack fragment completes a good stack file, a model fragment completes a good model file."""
    found: dict[str, Any] = yaml.safe_load(text)
    stack, model = entry('version: "v1"\nreplicas: 2'), MODEL
    if "config" in found:
        stack += text.partition("config:\n")[2]
    else:
        model += text

    settings = load_stack(Sources.of(project(tmp_path, stack, a=model)), "test").settings

    assert [known.name for known in settings.models] == ["a"]


def test_the_monitoring_page_names_every_canonical_series() -> None:
    names = {value for name, value in vars(series).items() if name.isupper() and isinstance(value, str)}
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")

    assert len(names) > 10
    assert {name for name in names if f"| `{name}` |" not in text} == set()


def test_the_page_of_components_has_a_row_for_each_component() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "components").rglob("*.py"))
    rows = re.findall(
        r"^\| `\w+` \| `([^`]+)` \|", (DOCS / "components.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    types = re.findall(r'Component\(\s*type="(\w+)"', sources)
    assert sorted(rows) == sorted(f"ml-deployments:index:{name}" for name in types)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_pages_name_exist(page: Path) -> None:
    named = re.findall(r"`((?:components|delivery|docs|models|sandbox|tests)/[\w./-]+)`", prose(page))

    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_the_readme_counts_the_rules_and_alerts_of_its_objectives(tmp_path: Path) -> None:
    """The repository's own stages and models may have other numbers."""
    (objectives,) = (block for block in blocks(CHECKOUT / "README.md", "yaml") if block.startswith("slo:"))
    (row,) = check(project(tmp_path, a=f"{MODEL}runtime: generic\n{objectives}")).rows()
    found = re.search(
        r"(\d+) rules, of which (\d+) are alerts", (CHECKOUT / "README.md").read_text(encoding="utf-8")
    )

    assert found is not None
    assert row[-2:] == found.groups()


def test_the_readme_shows_the_committed_stack_file() -> None:
    committed = (CHECKOUT / "Pulumi.production.yaml").read_text(encoding="utf-8")
    (diff,) = blocks(CHECKOUT / "README.md", "diff")
    old = [
        line[1:] for line in diff.splitlines() if line.startswith((" ", "-")) and not line.startswith(" #")
    ]

    assert "\n".join(old) in committed


def test_the_readme_names_the_python_version_of_the_project() -> None:
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "requires-python"
    ]

    assert f"Python {wanted.removeprefix('>=')} or newer" in (CHECKOUT / "README.md").read_text(
        encoding="utf-8"
    )
