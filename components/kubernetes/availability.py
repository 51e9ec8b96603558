"""What keeps replicas serving: how they are replaced, and how many a drain may take. Pure functions."""

from collections.abc import Mapping

import pulumi_kubernetes as k8s

from components.settings.model import Rollout


def rolling_update(rollout: Rollout) -> k8s.apps.v1.DeploymentStrategyArgsDict:
    """How the pods of a new version take the place of the old ones."""
    return {
        "type": "RollingUpdate",
        "rolling_update": {"max_unavailable": rollout.max_unavailable, "max_surge": rollout.max_surge},
    }


def disruption_budget_spec(
    max_unavailable: int, selector: Mapping[str, str]
) -> k8s.policy.v1.PodDisruptionBudgetSpecArgsDict:
    """The PodDisruptionBudgetSpec: how many replicas a drain may take at once."""
    return {
        "max_unavailable": max_unavailable,
        "selector": {"match_labels": dict(selector)},
        # A replica that is broken anyway must not block the drain of its node.
        "unhealthy_pod_eviction_policy": "AlwaysAllow",
    }
