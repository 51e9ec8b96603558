"""The rules of a model: they parse, they never divide by zero, and they do what the files say."""

import re
from decimal import Decimal
from pathlib import Path

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.monitoring.alerts.coverage import left_out
from components.monitoring.model_rules import rule_groups
from components.monitoring.recording_rules import Rule, bucket_edge
from components.monitoring.series import picked
from components.runtimes.table import RUNTIMES, Runtime
from components.serving.monitoring import model_monitor_spec
from components.settings.watching import AlertName
from delivery.rendering.render import manifests
from tests.support.projects import MODEL, entry, named, project
from tests.support.watched import changed, model_file, watched

SCRAPED = re.compile(r"^(model_version|model):")
OPERATOR = "  ml-deployments:monitoring: {delivery: operator, selectorLabels: {release: prometheus}}\n"


def rules(folder: Path, text: str, more: str = "") -> list[Rule]:
    return [rule for group in rule_groups(watched(folder, text, more)) for rule in group["rules"]]


def alert_names(found: list[Rule]) -> set[str]:
    return {rule["alert"] for rule in found if "alert" in rule}


def divisors(expression: promql_parser.Expr) -> list[str]:
    """What every division in an expression divides by."""
    found: list[str] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "/":
            found.append(str(node.rhs))

    promql_parser.walk(expression, visit)
    return found


def assert_sound(rules_: list[Rule]) -> None:
    """Every query parses, and divides by nothing that may be zero."""
    for rule in rules_:
        for divisor in divisors(promql_parser.parse(rule["expr"])):
            safe = "> 0" in divisor or re.fullmatch(r"0\.0*[1-9][0-9]*", divisor)
            assert safe, f"{rule['expr']} divides by {divisor}"


def matcher_of(text: str) -> promql_parser.Matcher:
    """The one matcher of a selector."""
    selector = promql_parser.parse(text)
    assert isinstance(selector, promql_parser.VectorSelector)
    (matcher,) = selector.matchers.matchers
    return matcher


@pytest.mark.parametrize("runtime", list(Runtime))
def test_rules_parse_and_never_divide_by_zero(tmp_path: Path, runtime: Runtime) -> None:
    assert_sound(rules(tmp_path, model_file(runtime)))


@given(
    objective=st.decimals(min_value="93.06", max_value="99.999999", places=6).map(lambda d: f"{d:f}"),
    name=st.from_regex(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True),
    label=st.text(min_size=1, max_size=20),
)
def test_any_name_objective_and_label_gives_rules_that_parse(
    tmp_path_factory: pytest.TempPathFactory, objective: str, name: str, label: str
) -> None:
    staged = watched(tmp_path_factory.mktemp("p"), model_file(Runtime.GENERIC))
    promised = staged.model.slo.model_copy(update={"availability": objective})
    groups = rule_groups(changed(staged, name=name, slo=promised))
    assert_sound([rule for group in groups for rule in group["rules"]])
    assert matcher_of(picked("up", {"label": label})).value == label


def test_every_runtime_gives_the_same_series(tmp_path: Path) -> None:
    recorded = {
        runtime: {
            rule["record"] for rule in rules(tmp_path / runtime, model_file(runtime)) if "record" in rule
        }
        for runtime in Runtime
    }
    common = set.intersection(*recorded.values())
    assert {"model_version:requests:rate5m", "model_version:replicas_up:count"} <= common
    assert all(SCRAPED.match(name) for names in recorded.values() for name in names)


@pytest.mark.parametrize("runtime", list(Runtime))
def test_what_is_left_out_is_said(tmp_path: Path, runtime: Runtime) -> None:
    staged = watched(tmp_path, model_file(runtime))
    built = alert_names([rule for group in rule_groups(staged) for rule in group["rules"]])
    missing = {found.alert.value for found in left_out(staged)}
    assert built | missing == {name.value for name in AlertName}
    assert not built & missing
    assert all(found.by_runtime for found in left_out(staged))
    assert (AlertName.AVAILABILITY_BUDGET_BURN.value in missing) == (RUNTIMES[runtime].metrics.errors is None)


def test_every_alert_says_what_to_do(tmp_path: Path) -> None:
    more = (
        "  ml-deployments:monitoring: {runbookUrl: https://git.example.com/runbooks/, "
        "grafanaUrl: https://grafana.example.com}\n"
    )
    for rule in rules(tmp_path, model_file(Runtime.GENERIC), more):
        if "alert" not in rule:
            continue
        labels, annotations = rule["labels"], rule["annotations"]
        assert labels["severity"] in {"page", "ticket", "info"}
        assert (labels["owner"], labels["stage"], labels["model"]) == ("team-a", "test", "a")
        assert "{{ $value" in annotations["description"]
        # A summary groups alerts, so it must be the same whatever the value.
        assert annotations["summary"]
        assert "{{" not in annotations["summary"]
        assert annotations["runbook_url"] == f"https://git.example.com/runbooks/{rule['alert']}.md"
        assert annotations["dashboard_url"] == "https://grafana.example.com/d/model_test_a"


def test_an_alert_is_switched_off_or_changed_in_the_file(tmp_path: Path) -> None:
    text = MODEL + (
        "alerts:\n  ModelNoTraffic: {enabled: false}\n  ModelTargetDown: {severity: page}\n"
        '  ModelSaturated: {threshold: "7.5"}\n'
    )
    found = {rule["alert"]: rule for rule in rules(tmp_path, text) if "alert" in rule}
    assert "ModelNoTraffic" not in found
    assert found["ModelTargetDown"]["labels"]["severity"] == "page"
    assert found["ModelSaturated"]["expr"].endswith("> 7.5")


def test_a_stopped_model_is_not_missed(tmp_path: Path) -> None:
    stack = project(tmp_path, entry('version: "v1"\nreplicas: 0'))
    (file,) = [m for m in manifests(stack, "test") if m["metadata"]["name"] == "a-rules"]
    assert "ModelAbsent" not in str(file["data"])


def test_a_release_changes_one_label_of_one_rule(tmp_path: Path) -> None:
    staged = watched(tmp_path, model_file(Runtime.GENERIC))
    before = rule_groups(staged)
    after = rule_groups(changed(staged, version="v2"))
    differing = [
        (old, new)
        for group, other in zip(before, after, strict=True)
        for old, new in zip(group["rules"], other["rules"], strict=True)
        if old != new
    ]
    assert [(old["labels"].pop("version"), new["labels"].pop("version")) for old, new in differing] == [
        ("v1", "v2")
    ]
    assert differing[0][0] == differing[0][1]


def test_the_operator_gets_its_own_objects_with_the_labels_it_selects_by(tmp_path: Path) -> None:
    folder = project(tmp_path, entry('version: "v1"\nreplicas: 2') + OPERATOR)
    found = {m["kind"]: m for m in manifests(folder, "test")}
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert found[kind]["metadata"]["labels"]["release"] == "prometheus"
    service, monitor = found["Service"], found["ServiceMonitor"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    pod = found["Deployment"]["spec"]["template"]["metadata"]
    assert set(monitor["podTargetLabels"]) <= set(pod["labels"])
    assert "annotations" not in pod


def test_without_the_operator_there_is_a_rule_file_and_annotations(tmp_path: Path) -> None:
    folder = project(tmp_path, a=MODEL + "runtime: triton\n")
    found = {(m["kind"], m["metadata"]["name"]): m for m in manifests(folder, "test")}
    assert list(found["ConfigMap", "a-rules"]["data"]) == ["test-a.rules.yaml"]
    pod = found["Deployment", "a"]["spec"]["template"]["metadata"]
    assert pod["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8002",
        "prometheus.io/path": "/metrics",
    }


def test_monitoring_can_be_none(tmp_path: Path) -> None:
    folder = project(
        tmp_path, entry('version: "v1"\nreplicas: 2') + "  ml-deployments:monitoring: {delivery: none}\n"
    )
    found = named(folder)
    assert not {m["kind"] for m in found.values()} & {"ConfigMap", "ServiceMonitor", "PrometheusRule"}
    assert found["NetworkPolicy a"]["spec"]["ingress"] == []


def test_metrics_on_another_port_are_reached(tmp_path: Path) -> None:
    staged = watched(tmp_path, MODEL + "runtime: triton\nnetwork: {clients: [{labels: {app: web}}]}\n")
    assert model_monitor_spec(staged)["endpoints"][0]["port"] == "metrics"
    found = named(tmp_path)
    assert [p["port"] for p in found[f"Service {staged.name}"]["spec"]["ports"]] == [8000, 8002]
    clients, monitoring = found[f"NetworkPolicy {staged.name}"]["spec"]["ingress"]
    assert (clients["ports"][0]["port"], monitoring["ports"][0]["port"]) == (8000, 8002)


def test_a_changed_port_is_scraped(tmp_path: Path) -> None:
    staged = watched(tmp_path, MODEL + "port: 9000\n")
    assert staged.model.metrics.port == 9000


@pytest.mark.parametrize(
    ("edge", "matches", "misses"),
    [
        ("1", ["1", "1.0"], ["10", "1x0"]),
        ("0.5", ["0.5"], ["005", "0.55"]),
        ("2000000", ["2000000", "2000000.0", "2e+06"], ["2e06", "2e+07", "22e+06"]),
        ("1274820", ["1274820", "1.27482e+06"], ["1x27482e+06"]),
        ("0.00001", ["0.00001", "1e-05"], ["1e-5", "0.000010"]),
        ("100000", ["100000", "100000.0"], ["1e+05"]),
    ],
)
def test_a_bucket_is_found_as_old_and_new_prometheus_write_it(
    edge: str, matches: list[str], misses: list[str]
) -> None:
    matcher = matcher_of(f"x{{{bucket_edge(Decimal(edge))}}}")
    pattern = matcher.value if matcher.op == promql_parser.MatchOp.Re else re.escape(matcher.value)
    assert all(re.fullmatch(pattern, text) for text in matches)
    assert not any(re.fullmatch(pattern, text) for text in misses)
