"""Each mistake results in one clear message that names file, field, value, reason and fix."""

from pathlib import Path

import pytest

from components.checks.model_files import model_file_problems
from components.errors import Problem
from components.files.sources import Sources
from tests.support.projects import GOOD_STACK, MODEL, entry, problems, project

GOOD = 'version: "v1"\nreplicas: 2'


ENTRIES = [
    ("missing version", "replicas: 2", "version", "is required and missing", "version:"),
    ("missing replicas", 'version: "v1"', "replicas", "is required and missing", "replicas:"),
    ("latest", 'version: "latest"\nreplicas: 2', "version", "must name one version", "v1.2.0"),
    ("empty version", 'version: ""\nreplicas: 2', "version", "must be a version tag", "v1.2.0"),
    ("unquoted 1.10", "version: 1.10\nreplicas: 2", "version", "YAML reads it as 1.1", 'version: "1.10"'),
    ("bare date", "version: 2024-01-02\nreplicas: 2", "version", "reads this as a date", '"2024-01-02"'),
    ("unquoted", "version: v1\nreplicas: 2", "version", "must be quoted", 'version: "v1"'),
    ("negative", 'version: "v1"\nreplicas: -1', "replicas", "greater than or equal to 0", "0 or more"),
    ("fractional", 'version: "v1"\nreplicas: 2.5', "replicas", "valid integer", "whole number"),
    ("whole float", 'version: "v1"\nreplicas: 2.0', "replicas", "valid integer", "whole number"),
    ("boolean", 'version: "v1"\nreplicas: true', "replicas", "valid integer", "whole number"),
    ("text", 'version: "v1"\nreplicas: "2"', "replicas", "valid integer", "without quotes"),
    ("malformed digest", GOOD + '\ndigest: "sha256:12"', "digest", "must be an image digest", "registry"),
    ("unknown key", GOOD + "\nreplica: 2", "replica", "unknown key", "write replicas"),
    (
        "deep unknown key",
        GOOD + "\nprobes: {liveness: {pth: /x}}",
        "probes.liveness.pth",
        "unknown key",
        "path",
    ),
    ("bad quantity", GOOD + "\nresources: {limits: {memory: 4GB}}", "memory", "Kubernetes quantity", "2Gi"),
    ("limit below request", GOOD + "\nresources: {limits: {memory: 1Gi}}", "resources", "is below", "raise"),
    (
        "bad duration",
        GOOD + '\nslo: {latency: {objective: "99", threshold: 5 sec}}',
        "threshold",
        "must be a duration",
        "0.5s",
    ),
    ("bad port", GOOD + "\nport: 70000", "port", "less than or equal to 65535", "65535 or less"),
    ("port as text", GOOD + '\nport: "80"', "port", "valid integer", "without quotes"),
    ("bad env name", GOOD + '\nenv: {1X: "a"}', "env.1X", "environment variable", "rename"),
    ("nothing to leave out", GOOD + "\nenv: {A: null}", "env.A", "no such key", "remove"),
    (
        "later variable",
        GOOD + '\nenv: {ADDRESS: "$(HOST):1", HOST: "a"}',
        "env.ADDRESS",
        "refers to $(HOST), which comes after it",
        "write HOST above ADDRESS",
    ),
    ("bad label value", GOOD + "\nnodeSelector: {a: -x}", "nodeSelector.a", "or empty", "without a value"),
    ("bad taint value", GOOD + "\ntolerations: [{key: a, value: x y}]", "value", "label value", "serving"),
    (
        "path that begins with a host",
        GOOD + "\nprobes: {liveness: {path: //host/x}}",
        "path",
        "comes a host",
        "write /host/x",
    ),
    (
        "path with a fragment",
        GOOD + "\nprobes: {liveness: {path: '/a#b'}}",
        "path",
        "never sent",
        "remove it",
    ),
    ("metrics with a query", GOOD + "\nmetrics: {path: '/m?a=b'}", "metrics.path", "'?'", "without a query"),
    (
        "unknown protocol",
        GOOD + "\nnetwork: {egress: [{cidr: 10.0.0.0/8, ports: [1], protocol: udp}]}",
        "protocol",
        "'TCP', 'UDP' or 'SCTP'",
        "'UDP'",
    ),
    (
        "objectives without metrics",
        GOOD + '\nmetrics: {enabled: false}\nslo: {availability: "99"}',
        "slo.availability",
        "the server has no metrics",
        "remove it",
    ),
    (
        "gauge without metrics",
        GOOD
        + '\nmetrics: {enabled: false}\nquality: {a: {metric: x, kind: drift, threshold: "1", direction: above}}',
        "quality.a",
        "the server has no metrics",
        "add labels",
    ),
    (
        "devices without a choice",
        GOOD + '\nresources: {limits: {nvidia.com/gpu: "1"}}',
        "rollout.maxSurge",
        "is required with nvidia.com/gpu",
        "{maxSurge: 0, maxUnavailable: 1}",
    ),
    ("number in env", GOOD + "\nenv: {DEBUG: 1}", "env.DEBUG", "must be a text", 'quote it: "1"'),
    ("bare yes in env", GOOD + "\nenv: {DEBUG: yes}", "env.DEBUG", "as a boolean", '"yes"'),
    ("device overcommit", GOOD + '\nresources: {requests: {nvidia.com/gpu: "1"}}', "resources", "equal", "1"),
    (
        "part of a device",
        GOOD + '\nresources: {limits: {nvidia.com/gpu: "0.5"}}',
        "gpu",
        "whole number",
        '"1"',
    ),
    (
        "device without its maker",
        GOOD + '\nresources: {limits: {gpu: "1"}}',
        "gpu",
        "not a resource",
        "nvidia.com",
    ),
    (
        "part of a byte",
        GOOD + "\nresources: {limits: {ephemeral-storage: 512m}}",
        "ephemeral-storage",
        "a fraction, and not mega",
        "write 512Mi",
    ),
    (
        "pages that do not divide",
        GOOD + "\nresources: {limits: {hugepages-2Mi: 3Mi}}",
        "hugepages-2Mi",
        "not a multiple of the page",
        "2Mi",
    ),
    (
        "pages overcommitted",
        GOOD + "\nresources: {requests: {hugepages-2Mi: 2Mi}, limits: {hugepages-2Mi: 4Mi}}",
        "resources",
        "does not overcommit",
        "under limits",
    ),
    (
        "seconds of a taint that removes nothing",
        GOOD + "\ntolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]",
        "tolerations[0]",
        "only effect NoExecute",
        "effect: NoExecute",
    ),
    (
        "long tag",
        f'version: "{"v" * 129}"\nreplicas: 2',
        "version",
        "129 characters, more than 128",
        "shorten",
    ),
    ("tag of a dot", 'version: ".v1"\nreplicas: 2', "version", "must be a version tag", "v1.2.0"),
    (
        "bad runtime",
        GOOD + "\nruntime: trition",
        "runtime",
        "not one of the known",
        "write triton; it must be one of generic",
    ),
    ("no such env key", GOOD + "\nenv: {T: {secretKeyRef: {name: x}}}", "key", "is required", "key"),
    ("alias", GOOD + '\nenv: {A: &x "1", B: *x}', "env.B", "aliases are not supported", "write the value"),
    ("mistyped key without a value", GOOD + "\nownr:", "ownr", "no such key", "correct the key"),
    ("no space", 'version: "v1"\nreplicas: 2\nport:80: ', "port:80", "no such key", "with a space"),
    ("tag", GOOD + "\nowner: !!binary aGk=", "owner", "tag", "remove"),
    ("merge key", GOOD + "\nenv:\n  <<: {A: b}", "env", "<< merges", "write the keys out"),
    (
        "name of a host",
        GOOD + "\nnetwork: {egress: [{cidr: example.com, ports: [80]}]}",
        "cidr",
        "hosts",
        "10.0.0.0",
    ),
]


@pytest.mark.parametrize(
    ("text", "field", "reason", "fix"), [e[1:] for e in ENTRIES], ids=[e[0] for e in ENTRIES]
)
def test_entry(tmp_path: Path, text: str, field: str, reason: str, fix: str) -> None:
    (problem,) = problems(project(tmp_path, entry(text)))
    assert problem.file == "Pulumi.test.yaml"
    assert problem.line is not None
    assert problem.field.endswith(field)
    assert reason in problem.reason
    assert fix in problem.fix


MODELS = [
    ("tag in the image", MODEL.replace("team/model", "team/model:v1"), "image", "must not contain a tag"),
    ("digest in the image", MODEL.replace("team/model", "m@sha256:00"), "image", "must not contain a digest"),
    ("upper-case image", MODEL.replace("team/model", "Team/Model"), "image", "image repository"),
    ("no owner", MODEL.replace("owner: team-a\n", ""), "owner", "is required and missing"),
    ("version in the base", MODEL + 'version: "v1"\n', "version", "belongs to a stage"),
    ("duplicate key", MODEL + "owner: team-b\n", "owner", "given twice"),
    ("env twice", MODEL + 'env:\n  A: "1"\n  A: "2"\n', "env.A", "given twice"),
    ("not a mapping", "- a\n", "", "is not a mapping"),
    ("empty file", "", "", "the file is empty"),
    ("only comments", "# nothing\n", "", "the file is empty"),
    ("key that is not a text", MODEL + "1: x\n", "", "is not a text"),
]


@pytest.mark.parametrize(("text", "field", "reason"), [m[1:] for m in MODELS], ids=[m[0] for m in MODELS])
def test_model_file(tmp_path: Path, text: str, field: str, reason: str) -> None:
    folder = project(tmp_path, a=text)
    (problem,) = [p for p in problems(folder) if p.field.endswith(field)]
    assert reason in problem.reason
    assert model_file_problems(Sources.of(folder))


def test_invalid_yaml_names_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a="owner: a\nimage: [b\nport: 1\n"))
    assert (problem.file, problem.line) == ("models/a.yaml", 3)
    assert "line 3, column 5" in problem.reason


def test_not_utf8(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a=b"owner: a\nimage: \xff\n"))
    assert problem.line == 2
    assert "not UTF-8 (byte 16 is 0xff)" in problem.reason


def test_a_key_that_is_given_twice_names_both_lines_and_no_value(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a=f"{MODEL}owner: team-b\n"))
    assert (problem.field, problem.line, problem.value) == ("owner", MODEL.count("\n") + 1, None)
    assert "first in line 1" in problem.reason


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a="a: " + "[" * 10_000 + "]" * 10_000))
    assert "nested deeper" in problem.reason


def test_alias_bomb_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9))
    found = problems(project(tmp_path, a=f"l0: &l0 [x]\n{levels}\n"))
    assert all("aliases are not supported" in p.reason for p in found)
    assert len(found) == 72


def test_model_without_its_file(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK, b=MODEL))
    assert "models/a.yaml does not exist" in problem.reason
    assert problem.line == 4


def test_missing_stack_file(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path)
    assert problem.file == "Pulumi.test.yaml"
    assert "does not exist" in problem.reason


@pytest.mark.parametrize("name", ["A-b", "a_b", "1a", "a" * 64])
def test_name_that_is_not_a_dns_label(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path, GOOD_STACK.replace("    a:", f"    {name}:"), **{name: MODEL})
    (problem,) = problems(folder)
    assert problem.value == name
    assert "DNS label" in problem.reason or "64 characters" in problem.reason


def test_two_files_that_collide_in_a_name(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "models" / "a.yml").write_text(MODEL)
    (problem,) = problems(folder)
    assert "collides with models/a.yaml" in problem.reason


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("  ml-deployments:namspace: x\n", "namspace"),
        ("  kubernetes:context: prod\n", "kubernetes:context"),
        ("  namespace: x\n", "namespace"),
        ("  ml-deployments:podSecurity: none\n", "podSecurity"),
    ],
)
def test_stack_keys(tmp_path: Path, text: str, field: str) -> None:
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert problem.field.endswith(field)
    assert problem.line == GOOD_STACK.count("\n") + 1


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    found = problems(
        project(tmp_path, entry('version: "latest"\nreplicas: -1\nprt: 1'), a=MODEL.replace("team-a", "a b"))
    )
    assert [(p.file, p.field.rpartition(".")[2]) for p in found] == [
        ("Pulumi.test.yaml", "version"),
        ("Pulumi.test.yaml", "replicas"),
        ("Pulumi.test.yaml", "prt"),
        ("models/a.yaml", "owner"),
    ]


def test_the_message_reads_as_one_line() -> None:
    problem = Problem(file="f.yaml", line=3, field="a.b", value="7", reason="is odd", fix="write 8")
    assert str(problem) == "f.yaml:3: a.b = 7: is odd. Fix: write 8"
