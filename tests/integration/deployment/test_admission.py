"""The operator's own admission webhook accepts what we make, and refuses what is wrong."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.runtimes.table import Runtime
from delivery.rendering.render import manifests
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.machine.processes import free_port
from sandbox.machine.servers import running
from tests.support.projects import GOOD_STACK, project
from tests.support.watched import model_file

OPERATOR = "  ml-deployments:monitoring: {delivery: operator, selectorLabels: {release: prometheus}}\n"
# The webhook's path for each kind it knows.
PATHS = {"PrometheusRule": "prometheusrules", "AlertmanagerConfig": "alertmanagerconfigs"}


@pytest.fixture(scope="module")
def webhook(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The webhook on 127.0.0.1, without TLS."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        sandbox.path / ".sandbox" / "bin" / "prometheus-admission-webhook",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-tls=false",
    ]
    with running(command, f"{address}/healthz", tmp_path_factory.mktemp("webhook") / "log"):
        yield address


def review(webhook: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """What the webhook answers to the API server about an object."""
    group, version = manifest["apiVersion"].split("/")
    resource = PATHS[manifest["kind"]]
    request = {
        "uid": "1",
        "operation": "CREATE",
        "object": manifest,
        "resource": {"group": group, "version": version, "resource": resource},
    }
    body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    call = urllib.request.Request(
        f"{webhook}/admission-{resource}/validate",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(call, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)["response"]
    return answer


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_the_committed_stages_are_accepted(webhook: str, stage: str) -> None:
    found = [manifest for manifest in manifests(CHECKOUT, stage) if manifest["kind"] in PATHS]
    assert {manifest["kind"] for manifest in found} == set(PATHS)
    for manifest in found:
        assert review(webhook, manifest)["allowed"], review(webhook, manifest)


@pytest.mark.parametrize("runtime", list(Runtime))
def test_the_rules_of_every_runtime_are_accepted(webhook: str, tmp_path: Path, runtime: Runtime) -> None:
    folder = project(tmp_path, GOOD_STACK + OPERATOR, a=model_file(runtime))
    (rule,) = [m for m in manifests(folder, "test") if m["kind"] == "PrometheusRule"]
    answer = review(webhook, rule)
    assert answer["allowed"], answer


def test_a_wrong_rule_is_refused(webhook: str, tmp_path: Path) -> None:
    folder = project(tmp_path, GOOD_STACK + OPERATOR)
    (rule,) = [m for m in manifests(folder, "test") if m["kind"] == "PrometheusRule"]
    rule["spec"]["groups"][0]["rules"][0]["expr"] = "sum by ("
    assert not review(webhook, rule)["allowed"]
