"""What guards a stage is at the top of the page, whatever else changes, and what weakens it stops the merge."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from delivery.cli import app
from delivery.review.manifest_changes import manifest_changes
from delivery.review.safety_objects import object_changes
from delivery.review.size import LIMIT_BYTES
from tests.support.projects import MODEL
from tests.support.repositories import Work
from tests.support.reviewed import FILE, STACK, repository, reviewed, stand_ins

IMAGE = "image: registry.example.com/team/model"
OTHER = "image: other.example.com/team/model"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    stand_ins(tmp_path, monkeypatch)
    return repository(tmp_path / "project")


def plain(page: str) -> str:
    return html.unescape(re.sub(r"</?code>", "", page))


def safety(page: str) -> list[str]:
    """The lines of the block at the top."""
    assert page.index("### Safety") < page.index("| model |" if "| model |" in page else "No model's line")
    block = plain(page).partition("### Safety\n")[2].partition("\n\n|")[0].partition("\n\nNo model")[0]
    return [line.removeprefix("- ") for line in block.splitlines() if line.startswith("- ")]


def test_one_change_that_takes_the_guards_away_is_named_and_stopped(work: Work) -> None:
    weaker = STACK.replace("requireDigest: true", "requireDigest: false").replace(
        "highAvailability: true", "highAvailability: false"
    )
    files = {
        FILE: weaker,
        "models/a.yaml": MODEL.replace(IMAGE, OTHER),
        "policy/rules/images.py": "def image_tag():\n    return\n    yield\n",
        "Makefile": "review:\n\ttrue\n",
    }
    work.commit("A small change", files)
    code, page = reviewed(work)
    assert code == 1
    weakened = [line.removeprefix("**weakens**: ") for line in safety(page) if line.startswith("**weakens**")]
    assert sorted(weakened) == [
        (
            "Deployment ml-production/a: containers[server].image: registry.example.com/team/model → "
            "other.example.com/team/model"
        ),
        "code: Makefile is changed",
        "code: policy/ is changed (policy/rules/images.py)",
        "policy.highAvailability: true → false",
        "requireDigest: true → false",
    ]
    stops = plain(page).partition("What stops it\n\n")[2].partition("\n\n")[0]
    assert len(stops.splitlines()) == 5
    assert "stopped by 5 findings" in page.splitlines()[1]


def test_what_was_accepted_is_listed_and_stops_nothing(work: Work) -> None:
    work.commit("Another registry", {"models/a.yaml": MODEL.replace(IMAGE, OTHER)})
    assert reviewed(work)[0] == 1
    code, page = reviewed(work, "--accepted")
    assert code == 0
    assert "What weakens it was accepted" in page
    assert any("other.example.com" in line for line in safety(page))


@pytest.mark.parametrize("variables", [1, 40, 400])
def test_long_values_push_nothing_off_the_page(work: Work, variables: int) -> None:
    env = "".join(f'  VARIABLE_{number:03}: "{"x" * 2048}"\n' for number in range(variables))
    work.commit("Variables", {"models/a.yaml": MODEL.replace(IMAGE, OTHER) + f"env:\n{env}"})
    code, page = reviewed(work)
    assert code == 1
    assert len(page.encode()) <= LIMIT_BYTES
    (line,) = safety(page)
    assert "registry.example.com/team/model → other.example.com/team/model" in line
    assert "Deployment ml-production/a, changed" in plain(page)


def test_more_safety_than_a_page_holds_is_counted_and_stops_it(work: Work) -> None:
    rows = "".join(
        f'  - {{key: "example.com/{"k" * 60}", operator: Equal, value: "{number:04}{"v" * 50}"}}\n'
        for number in range(1000)
    )
    work.commit("Tolerations", {"models/a.yaml": MODEL + f"tolerations:\n{rows}"})
    code, page = reviewed(work, "--accepted")
    assert code == 1
    assert len(page.encode()) <= LIMIT_BYTES
    (missing,) = re.findall(r"\*\*(\d+) lines of its safety do not fit here, which stops the merge", page)
    assert len(safety(page)) + int(missing) == 1000
    assert "stopped by 1 finding" in page
    code, page = reviewed(work, "--accepted", "--full")
    assert code == 0
    assert len(safety(page)) == 1000


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "policy: {",
            "podSecurity: baseline\n  ml-deployments:policy: {",
            "podSecurity: restricted → baseline",
        ),
        ("policy: {", "kubeContext: x\n  ml-deployments:policy: {", "kubeContext: - → x"),
        (
            "highAvailability: true",
            'highAvailability: true, exceptions: [{policy: owner, name: "*", reason: why, until: "2027-03-31"}]',
            'policy.exceptions: - → {"policy": "owner", "name": "*", "reason": "why", "until": "2027-03-31"}',
        ),
        ("config:", "secretsprovider: awskms://alias/x\nconfig:", "secretsprovider: - → awskms://alias/x"),
        (
            "config:",
            "config:\n  pulumi:disable-default-providers: [x]",
            "config.pulumi:disable-default-providers",
        ),
    ],
)
def test_a_key_of_the_stage_that_weakens_it(work: Work, old: str, new: str, line: str) -> None:
    work.commit("Key", {FILE: STACK.replace(old, new, 1)})
    code, page = reviewed(work)
    assert code == 1
    assert any(found.startswith(f"**weakens**: {line}") for found in safety(page)), safety(page)


def test_a_key_that_strengthens_or_only_differs_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins(tmp_path, monkeypatch)
    work = repository(tmp_path / "project", STACK.replace("requireDigest: true", "requireDigest: false"))
    more = "drift: {ignore: [{kind: Deployment}]}\n  ml-deployments:monitoring: {delivery: none}\n"
    work.commit("Keys", {FILE: STACK.replace("policy:", f"{more}  ml-deployments:policy:", 1)})
    code, page = reviewed(work)
    assert code == 0, page
    found = safety(page)
    assert "requireDigest: false → true" in found
    assert any(line.startswith('drift.ignore: - → {"kind": "Deployment"') for line in found)
    assert "monitoring.delivery: configmap → none" in found


def test_a_model_that_leaves_the_stages_standard_is_named_first(work: Work) -> None:
    work.commit("Root", {"models/a.yaml": MODEL + "podSecurity: privileged\n"})
    code, page = reviewed(work)
    assert code == 1
    assert sorted(safety(page)[:2]) == [
        (
            "**weakens**: Namespace ml-production-a: metadata.labels.pod-security.kubernetes.io/enforce: - → privileged"
        ),
        "**weakens**: models.a.podSecurity: - → privileged",
    ]
    work.commit("Less", {"models/a.yaml": MODEL + "podSecurity: baseline\n"})
    assert "models.a.podSecurity: privileged → baseline" in safety(reviewed(work)[1])
    work.commit("Back", {"models/a.yaml": MODEL})
    assert "models.a.podSecurity: baseline → -" in safety(reviewed(work)[1])


def test_a_gate_that_is_lowered_or_removed_weakens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins(tmp_path, monkeypatch)
    registry = "modelRegistry: {mlflow: https://mlflow.example.com}\n  ml-deployments:policy:"
    work = repository(tmp_path / "project", STACK.replace("policy:", registry, 1))
    gate = 'registeredModel: {name: m}\ngate: {metrics: {f1: {min: "0.85"}}}\n'
    work.commit("Gate", {"models/a.yaml": MODEL + gate})
    assert "models.a.gate.metrics.f1.min: - → 0.85" in safety(reviewed(work)[1])
    assert reviewed(work)[0] == 0
    work.commit("None", {"models/a.yaml": MODEL})
    assert any(line.startswith("**weakens**: models.a.gate: {") for line in safety(reviewed(work)[1]))
    work.git("revert", "--no-edit", "HEAD")
    work.commit("Lower", {"models/a.yaml": MODEL + gate.replace("0.85", "0.10")})
    assert "**weakens**: models.a.gate.metrics.f1.min: 0.85 → 0.10" in safety(reviewed(work)[1])
    other = STACK.replace("policy:", registry.replace("mlflow.ex", "other.ex"), 1)
    work.commit("Other", {FILE: other})
    assert (
        "**weakens**: modelRegistry.mlflow: https://mlflow.example.com → https://other.example.com"
        in safety(reviewed(work)[1])
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "tolerations: [{key: gpu, operator: Exists}]",
            'tolerations: - → {"key": "gpu", "operator": "Exists"}',
        ),
        (
            "env: {API_TOKEN: {secretKeyRef: {name: s, key: k}}}",
            "containers[server].env[API_TOKEN].valueFrom.secretKeyRef.name: - → s",
        ),
        ("network: {egress: [{cidr: 10.0.0.0/8, ports: [443]}]}", "spec.egress: - → "),
        ("network: {enabled: false}", "**weakens**: NetworkPolicy ml-production/a: spec.ingress: "),
        (
            "network: {egress: [{cidr: 0.0.0.0/0, ports: [443]}]}",
            "**weakens**: NetworkPolicy ml-production/a: ",
        ),
        ("security: {mountServiceAccountToken: true}", "automountServiceAccountToken: false → true"),
        ("security: {readOnlyRootFilesystem: false}", "securityContext.readOnlyRootFilesystem: true → false"),
        ("mounts: [{path: /data, secret: s}]", 'volumes[mount-0]: - → {"secret": '),
    ],
)
def test_what_guards_an_object_is_listed(work: Work, more: str, said: str) -> None:
    work.commit("Object", {"models/a.yaml": f"{MODEL}{more}\n"})
    found = safety(reviewed(work)[1])
    assert any(said in line for line in found), found


def test_a_new_model_from_a_known_registry_stops_nothing_and_from_another_one_it_does(work: Work) -> None:
    entry = f'    b: {{version: "v1", replicas: 2, digest: "sha256:{"2" * 64}"}}\n'
    work.commit("Known", {FILE: STACK + entry, "models/b.yaml": MODEL.replace("team/model", "team/b")})
    code, page = reviewed(work)
    assert code == 0, page
    assert "Deployment ml-production/b: containers[server].image: - → registry.example.com/team/b" in safety(
        page
    )
    work.commit(
        "Other", {FILE: STACK + entry.replace("b:", "c:"), "models/c.yaml": MODEL.replace(IMAGE, OTHER)}
    )
    code, page = reviewed(work)
    assert code == 1
    assert any(line.startswith("**weakens**: Deployment ml-production/c") for line in safety(page))


def test_a_new_version_is_not_a_matter_of_safety(work: Work) -> None:
    work.commit("Bump", {FILE: STACK.replace('"v1"', '"v2"').replace("1" * 64, "3" * 64), "README.md": "x"})
    code, page = reviewed(work)
    assert code == 0, page
    assert "Nothing that guards the stage changes." in page


@pytest.mark.parametrize(
    "file",
    [
        "delivery/review/page.py",
        "components/program.py.txt",
        "gitops/flux/a.yaml",
        ".github/workflows/x.yaml",
        "requirements-dev.txt",
        "sandbox/tools/pins.py",
        "pydantic/__init__.py",
        "sitecustomize.py",
        "models.py",
        "features.yaml",
        "Pulumi.yaml",
    ],
)
def test_whatever_may_run_is_named_and_stops(work: Work, file: str) -> None:
    work.commit("Code", {file: "name: x\n"})
    code, page = reviewed(work)
    assert code == 1
    assert any(line.startswith("**weakens**: code: ") and file in line for line in safety(page))


def test_a_project_in_a_folder_knows_the_workflows_at_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins(tmp_path, monkeypatch)
    work = repository(tmp_path / "project")
    for name in ("models", "policy", "Makefile", "__main__.py", FILE):
        work.git("mv", name, f"inner-{name}")
    work.commit("Away", {})
    (work.folder / "inner").mkdir()
    for name in ("models", "policy", "Makefile", "__main__.py", FILE):
        work.git("mv", f"inner-{name}", f"inner/{name}")
    work.commit("Moved", {})
    work.commit(
        "Workflow", {".github/workflows/x.yaml": "on: push\n", "other/x.py": "", "inner/policy/y.py": ""}
    )
    inner = Work(work.folder / "inner")
    code, page = reviewed(inner)
    assert code == 1
    assert safety(page) == [
        "**weakens**: code: .github/ is changed (.github/workflows/x.yaml)",
        "**weakens**: code: policy/ is changed (policy/y.py)",
    ]


def test_a_change_that_removes_every_stage_is_refused(work: Work) -> None:
    work.git("rm", "--quiet", FILE)
    work.commit("Away", {})
    result = CliRunner().invoke(app, ["review", "HEAD~1..HEAD", "--project", str(work.folder)])
    assert result.exit_code == 1
    assert "HEAD has no stage, so there is nothing to review" in result.output


@pytest.mark.parametrize(
    ("before", "after", "weakens"),
    [
        ("restricted", "baseline", True),
        ("restricted", "nonsense", True),
        ("privileged", "restricted", False),
        ("restricted", None, True),
        (None, "privileged", True),
    ],
)
def test_the_standard_that_a_namespace_enforces(before: str | None, after: str | None, weakens: bool) -> None:
    def namespace(standard: str | None) -> dict[str, Any]:
        labels = {"other": standard} | ({"pod-security.kubernetes.io/enforce": standard} if standard else {})
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "labels": labels}}

    old, new = [] if before is None else [namespace(before)], [namespace(after)]
    (found,) = object_changes(manifest_changes(old, new), old, new)
    assert (found.before, found.after, found.weakens) == (before, after, weakens)


@pytest.mark.parametrize(("app", "weakens"), [("a", True), ("b", False)])
def test_a_policy_of_the_network_may_go_with_its_pods(app: str, weakens: bool) -> None:
    metadata = {"name": "x", "namespace": "n"}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {"podSelector": {"matchLabels": {"app": "a"}}},
    }
    template = {"metadata": {"labels": {"app": app, "more": "x"}}}
    left = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": template},
    }
    found = [*object_changes(manifest_changes([policy, left], [left]), [policy, left], [left])]
    assert [one.line for one in found] == (
        ["- **weakens**: <code>NetworkPolicy n/x</code>: <code>present</code> → <code>-</code>"]
        if weakens
        else []
    )


def test_exceptions_are_on_the_page_with_reason_and_end(work: Work) -> None:
    exception = '{policy: owner, name: a, reason: "no owner yet", until: "2027-03-31"}'
    stack = STACK.replace("highAvailability: true", f"exceptions: [{exception}]")
    work.commit("Exception", {FILE: stack})
    page = plain(reviewed(work)[1])
    assert "- owner: exception for a, until 2027-03-31: no owner yet" in page
    assert "- replicas: not asked for by policy.highAvailability" in page


def test_files_with_problems_still_show_what_was_taken_away(work: Work) -> None:
    work.commit(
        "Wrong", {FILE: STACK.replace("  ml-deployments:requireDigest: true\n", "").replace("2,", "two,")}
    )
    code, page = reviewed(work)
    assert code == 1
    assert "**weakens**: requireDigest: true → -" in safety(page)
