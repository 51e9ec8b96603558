"""Every mistake is reported in one run, each once and at its own line."""

from pathlib import Path

import pytest

from tests.support.projects import MODEL, entry, problems, project

GOOD = 'version: "v1"\nreplicas: 2'
RESERVED = "env:\n  FEATURE_STORE_URL: x"
LATE = "rollout:\n  progressDeadlineSeconds: 10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"bananas: 1\n{RESERVED}", [("bananas", 7), ("env.FEATURE_STORE_URL", 9)]),
        (f'port: "80"\n{RESERVED}', [("port", 7), ("env.FEATURE_STORE_URL", 9)]),
        (f"{LATE}\n{RESERVED}", [("rollout.progressDeadlineSeconds", 8), ("env.FEATURE_STORE_URL", 10)]),
        (
            f"gate:\n  metrics: {{}}\n{RESERVED}\n{LATE}",
            [("gate.metrics", 8), ("env.FEATURE_STORE_URL", 10), ("rollout.progressDeadlineSeconds", 12)],
        ),
        ("env: {A: 1}\nrollout: {maxSurge: 0}", [("env.A", 7), ("rollout", 8)]),
        (
            "resources:\n  limits:\n    gpu: '1'\n    memory: 512m\n    nvidia.com/gpu: '0.5'",
            [
                ("resources.limits.gpu", 9),
                ("resources.limits.memory", 10),
                ("resources.limits.nvidia.com/gpu", 11),
            ],
        ),
    ],
)
def test_mistakes_of_one_entry(tmp_path: Path, text: str, expected: list[tuple[str, int]]) -> None:
    found = problems(project(tmp_path, entry(f"{GOOD}\n{text}")))
    assert {(p.field.partition(".a.")[2], p.line) for p in found} == set(expected)


@pytest.mark.parametrize("missing", ["owner: team-a", "image: registry.example.com/team/model"])
def test_what_is_missing_does_not_hide_a_contradiction(tmp_path: Path, missing: str) -> None:
    assert missing in MODEL
    text = MODEL.replace(missing, "")
    found = problems(project(tmp_path, a=f"{text}{RESERVED}\n"))
    assert {p.field.rpartition("models.a.")[2] for p in found} == {
        missing.partition(":")[0],
        "env.FEATURE_STORE_URL",
    }


@pytest.mark.parametrize(
    "text",
    [
        'shutdown: {preStopSleepSeconds: "x", gracePeriodSeconds: 10}',
        "rollout: {progressDedlineSeconds: 2000}\nprobes: {startup: {failureThreshold: 100}}",
        'rollout: {progressDeadlineSeconds: 500}\nprobes: {startup: {failureThreshold: "10"}}',
        "env: {A: {valueFrom: {secretKeyRef: {name: x, key: y}}}}",
        "mounts: [{mountPath: /x, secret: a}]",
        "resources: {limit: {memory: 1Ki}}",
    ],
)
def test_what_follows_from_a_mistake_is_not_another_one(tmp_path: Path, text: str) -> None:
    (_,) = problems(project(tmp_path, entry(f"{GOOD}\n{text}")))
