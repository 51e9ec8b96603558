"""The policy that requires a PodDisruptionBudget for each model."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.support.monitoring_stacks import Manifest
from tests.support.ruled import budget, found

BUDGETS: list[Callable[[list[Manifest]], Any]] = [
    lambda objects: objects.remove(budget(objects)),
    lambda objects: budget(objects)["metadata"].update(namespace="watch"),
    lambda objects: budget(objects)["spec"]["selector"]["matchLabels"].update(other="label"),
    lambda objects: budget(objects)["spec"].pop("selector"),
    lambda objects: budget(objects)["spec"]["selector"].update(
        matchExpressions=[{"key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["a"]}]
    ),
    lambda objects: budget(objects)["spec"]["selector"].update(
        matchExpressions=[{"key": "app.kubernetes.io/name", "operator": "DoesNotExist"}]
    ),
]


@pytest.mark.parametrize("spoil", BUDGETS)
def test_a_model_without_a_budget_of_its_own_is_found(
    ruled_objects: list[Manifest], spoil: Callable[[list[Manifest]], Any]
) -> None:
    changed = deepcopy(ruled_objects)
    spoil(changed)

    assert [(v.policy, v.object) for v in found(changed)] == [("disruption-budget", "Deployment ml-test/a")]


def test_a_budget_may_select_by_expressions(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    budget(changed)["spec"]["selector"] = {
        "matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "In", "values": ["a", "b"]},
            {"key": "app.kubernetes.io/component", "operator": "Exists"},
        ]
    }

    assert found(changed) == []
