"""Who is notified of an alert, how soon, and what silences what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.monitoring_stacks import INSTALLED, RECEIVERS, Manifest, one, stack_of
from tests.support.projects import GOOD_STACK, problems, project


def config(found: list[Manifest]) -> Manifest:
    name = one(found, "Alertmanager")["spec"]["alertmanagerConfiguration"]["name"]
    spec: Manifest = one(found, "AlertmanagerConfig", name)["spec"]
    return spec


def matches(matchers: list[dict[str, str]], labels: dict[str, str]) -> bool:
    equal = {"=": True, "!=": False}
    return all((labels.get(m["name"], "") == m["value"]) is equal[m["matchType"]] for m in matchers)


def routed(route: Manifest, labels: dict[str, str], inherited: Manifest | None = None) -> Manifest:
    """The settings of an alert's route: the first match at each level, as in Alertmanager."""
    own = {**(inherited or {}), **{k: v for k, v in route.items() if k not in {"routes", "matchers"}}}
    for child in route.get("routes", []):
        if matches(child.get("matchers", []), labels):
            return routed(child, labels, own)
    return own


@pytest.mark.parametrize(
    ("owner", "severity", "receiver"),
    [
        ("team-a", "page", "owner=team-a,severity=page"),
        ("team-a", "ticket", "owner=team-a"),
        ("team-a", "info", "owner=team-a"),
        ("team-b", "page", "severity=page"),
        ("team-b", "ticket", "everyone"),
        ("team-b", "info", "everyone"),
    ],
)
def test_the_most_specific_receiver_is_notified(
    tmp_path: Path, owner: str, severity: str, receiver: str
) -> None:
    spec = config(stack_of(tmp_path, RECEIVERS))
    end = routed(spec["route"], {"owner": owner, "severity": severity})
    assert end["receiver"] == receiver
    assert end["groupBy"] == ["namespace", "model", "alertname"]
    waits = (end["groupWait"], end["groupInterval"], end["repeatInterval"])
    assert waits == (("30s", "5m", "4h") if severity == "page" else ("5m", "30m", "24h"))


def test_receivers_are_named_once_and_routes_name_those_there_are(tmp_path: Path) -> None:
    spec = config(stack_of(tmp_path, RECEIVERS))
    names = [receiver["name"] for receiver in spec["receivers"]]
    assert len(set(names)) == len(names) == 4
    assert set(named(spec["route"])) == set(names)
    targets = {r["name"]: r["webhookConfigs"] for r in spec["receivers"]}
    assert targets["owner=team-a"] == [
        {"sendResolved": True, "urlSecret": {"name": "hooks", "key": "team-a"}}
    ]
    assert targets["everyone"] == [{"sendResolved": True, "url": "https://hooks.example.com/all"}]


def named(route: Manifest) -> Iterator[str]:
    yield route["receiver"]
    for child in route.get("routes", []):
        yield from named(child)


def test_without_receivers_alertmanager_alone_shows_alerts(installed: list[Manifest]) -> None:
    spec = config(installed)
    assert spec["receivers"] == [{"name": "none"}]
    assert routed(spec["route"], {"owner": "team-a", "severity": "page"})["receiver"] == "none"


def test_an_alert_without_a_matching_receiver_is_not_sent(tmp_path: Path) -> None:
    text = RECEIVERS.replace('        - {webhookUrl: "https://hooks.example.com/all"}\n', "")
    spec = config(stack_of(tmp_path, text))
    assert routed(spec["route"], {"owner": "team-b", "severity": "ticket"})["receiver"] == "none"
    assert {"name": "none"} in spec["receivers"]


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    head, *entries = RECEIVERS.split("        - ")
    backwards = "        - ".join([head, *reversed(entries)])
    assert config(stack_of(tmp_path, RECEIVERS)) == config(stack_of(tmp_path, backwards))


def silences(rule: Manifest, source: dict[str, str], target: dict[str, str]) -> bool:
    return (
        matches(rule["sourceMatch"], source)
        and matches(rule["targetMatch"], target)
        and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
    )


def test_a_page_silences_tickets_of_the_same_objective_alone(installed: list[Manifest]) -> None:
    (rule,) = config(installed)["inhibitRules"]
    alert = {"namespace": "ml-test", "model": "a"}
    page = {**alert, "severity": "page", "slo": "availability"}
    ticket = {**alert, "severity": "ticket", "slo": "availability"}
    assert silences(rule, page, ticket)
    assert not silences(rule, page, {**ticket, "slo": "latency"})
    assert not silences(rule, page, {**ticket, "model": "b"})
    assert not silences(rule, ticket, page)
    # Alerts without an objective silence nothing and are silenced by nothing.
    assert not silences(rule, {**alert, "severity": "page"}, {**alert, "severity": "ticket"})
    assert not silences(rule, {**alert, "severity": "page"}, ticket)


@pytest.mark.parametrize(
    ("receivers", "reason"),
    [
        ("[{owner: team-a}]", "either webhookUrl or webhookUrlSecret"),
        (
            '[{webhookUrl: "https://a.example.com", webhookUrlSecret: {name: a, key: b}}]',
            "either webhookUrl or webhookUrlSecret",
        ),
        ('[{webhookUrl: "https://me:word@a.example.com/x"}]', "no secret is ever in git"),
        ("[{webhookUrl: a.example.com}]", "should match pattern"),
        ('[{severity: loud, webhookUrl: "https://a.example.com"}]', "is not one of the known values"),
        (
            '[{owner: a, webhookUrl: "https://a.example.com"}, {owner: a, webhookUrl: "https://b.example.com"}]',
            "the same owner and severity",
        ),
    ],
)
def test_bad_receivers_are_refused(tmp_path: Path, receivers: str, reason: str) -> None:
    text = INSTALLED.replace("install: true", f"install: true, receivers: {receivers}")
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert reason in problem.reason
    assert problem.fix
