"""What the policies find in plain manifests, for tests."""

from typing import Any

from delivery.policies.catalogue import in_objects
from delivery.policies.stage import StageRules
from delivery.policies.violation import Violation
from tests.support.monitoring_stacks import Manifest, one

DIGEST = "sha256:" + "0" * 64
RULES = StageRules(
    stage="test",
    serving=frozenset({"ml-test"}),
    namespaces=frozenset({"ml-test", "watch"}),
    high_availability=True,
    require_digest=True,
)


def found(objects: list[Manifest], rules: StageRules = RULES) -> list[Violation]:
    return in_objects(objects, rules)


def pod(manifest: Manifest) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def server(manifest: Manifest) -> dict[str, Any]:
    container: dict[str, Any] = pod(manifest)["containers"][0]
    return container


def budget(objects: list[Manifest]) -> Manifest:
    return one(objects, "PodDisruptionBudget", "a")
