"""Who writes Kubernetes', Helm's or KServe's words learns what to write here, or why it is not supported, once."""

from pathlib import Path
from typing import Any

import pytest

from components.loading.terms import _OURS, _UNSUPPORTED, term
from components.settings.model import ModelDefinition, ModelSettings
from delivery.checking.check import check
from tests.support.projects import GOOD_STACK, MODEL, entry, problems, project

GOOD = 'version: "v1"\nreplicas: 2'

HERE = [
    ("livenessProbe: {httpGet: {path: /x}}", "probes: {liveness: {path: /health}}"),
    ("readinessProbe: {}", "probes: {readiness:"),
    ("startup_probe: {}", "probes: {startup:"),
    ("strategy: {type: RollingUpdate}", "rollout: {maxUnavailable: 0, maxSurge: 1}"),
    ("ports: [{containerPort: 80}]", "port: <number>"),
    ("containerPort: 80", "port: <number>"),
    ("terminationGracePeriodSeconds: 3", "shutdown: {gracePeriodSeconds: 60}"),
    ("lifecycle: {}", "shutdown: {preStopSleepSeconds: 15}"),
    ("securityContext: {}", "security: {runAsUser: 1000}"),
    ("volumes: []", "mounts: [{path: /etc/model, secret: <name>}]"),
    ("volumeMounts: []", "mounts: [{path: /etc/model, secret: <name>}]"),
    ("topologySpreadConstraints: []", "spread: {zones: true"),
    ("replicaCount: 3", "replicas: <number>"),
    ("env: {A: {valueFrom: {secretKeyRef: {name: x, key: y}}}}", "{secretKeyRef: {name: ..., key: ...}}"),
    ("env: [{name: A, value: b}]", 'NAME: "text"'),
    ("envFrom: [{secretRef: {name: x}}]", "secret: <name>"),
    ("envFrom: [{configMapRef: {name: x}}]", "configMap: <name>"),
    ("imagePullSecrets: [{name: pull}]", "write pull"),
    ("mounts: [{mountPath: /x, secret: a}]", "write path"),
    ("network: {ingress: []}", "clients: [{labels: {...}}]"),
    ("probes: {liveness: {httpGet: {path: /x}}}", "path: <path> in its place"),
]


@pytest.mark.parametrize(("text", "fix"), HERE, ids=[text for text, _ in HERE])
def test_a_word_that_has_another_place_here(tmp_path: Path, text: str, fix: str) -> None:
    (problem,) = problems(project(tmp_path, entry(f"{GOOD}\n{text}")))
    assert fix in problem.fix
    assert problem.line == 7


NOT_HERE = [
    ("args: [x]", "the image says how its server starts"),
    ("command: [x]", "the image says how its server starts"),
    ("annotations: {a: b}", "the program sets them"),
    ("labels: {a: b}", "the program sets them"),
    ("serviceAccountName: x", "a ServiceAccount of its own"),
    ("runtimeClassName: x", "default container runtime"),
    ("ingress: {}", "no route from outside"),
    ("affinity: {}", "labels and taints of nodes"),
    ("imagePullPolicy: Always", "IfNotPresent"),
    ("hostNetwork: true", "isolated from their node"),
    ("minReadySeconds: 3", "readiness probe"),
    ("initContainers: []", "one container"),
    ("autoscaling: {}", "how many replicas"),
    ("hpa: {}", "how many replicas"),
    ("predictor: {}", "the image contains"),
    ("storageUri: s3://x", "the image contains"),
    ("spec: {}", "not a Kubernetes manifest"),
    ("probes: {liveness: {tcpSocket: {}}}", "HTTP requests"),
    ("security: {privileged: true}", "restricted Pod Security Standard"),
    ("env: {A: {fieldRef: {}}}", "a key of a Secret or ConfigMap"),
]


@pytest.mark.parametrize(("text", "reason"), NOT_HERE, ids=[text for text, _ in NOT_HERE])
def test_a_word_that_is_not_supported_says_why(tmp_path: Path, text: str, reason: str) -> None:
    (problem,) = problems(project(tmp_path, entry(f"{GOOD}\n{text}")))
    assert problem.reason.startswith("is not supported, because ")
    assert reason in problem.reason
    assert "valid keys" not in problem.fix


@pytest.mark.parametrize("key", ["bananas", "argz", "annotated", "run"])
def test_where_nothing_is_near_nothing_is_guessed(tmp_path: Path, key: str) -> None:
    (problem,) = problems(project(tmp_path, entry(f"{GOOD}\n{key}: 1")))
    assert (problem.reason, problem.fix[:26]) == ("unknown key", "remove it; valid keys are ")


@pytest.mark.parametrize("key", ["node-selector", "nodeselector", "node_selector", "nodeSelectors"])
def test_a_near_miss_is_named(tmp_path: Path, key: str) -> None:
    (problem,) = problems(project(tmp_path, entry(f"{GOOD}\n{key}: {{}}")))
    assert problem.fix == "write nodeSelector, or remove it"


def test_a_key_that_is_misspelled_is_not_missing_as_well(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a=MODEL.replace("owner:", "ownr:")))
    assert problem.fix == "write owner, or remove it"


@pytest.mark.parametrize("key", ["bananas", "args", "replicaz"])
def test_a_model_file_with_a_mistake_is_reported_once_for_all_its_stages(tmp_path: Path, key: str) -> None:
    folder = project(tmp_path, a=f"{MODEL}{key}: 1\n")
    (folder / "Pulumi.other.yaml").write_text(GOOD_STACK.replace("ml-test", "ml-other"))
    (problem,) = check(folder).problems
    assert (problem.file, problem.field) == ("models/a.yaml", key)


def test_the_table_agrees_with_the_settings() -> None:
    """A key that is supported by now has left the list, and what it says to write is there."""
    known = {info.alias or name for name, info in ModelSettings.model_fields.items()}
    below = {key for cls in _classes(ModelDefinition) for key in _keys(cls)} | known
    for key in (key for keys in _UNSUPPORTED for key in keys):
        assert key not in known - {"name"}
    for key, places in _OURS.items():
        assert key not in known - {"name"}
        assert {ours for ours, _ in places} <= below, key
    assert term("replicas", known) is None


def _keys(cls: type[Any]) -> set[str]:
    return {info.alias or name for name, info in cls.model_fields.items()}


def _classes(cls: type[Any]) -> set[type[Any]]:
    """A settings class, and those of its fields at any depth."""
    found = {cls}
    waiting = [info.annotation for info in cls.model_fields.values()]
    while waiting:
        each: Any = waiting.pop()
        if hasattr(each, "model_fields"):
            found |= _classes(each)
        waiting += getattr(each, "__args__", ())
    return found
