"""Where the stage requires high availability, a model survives the loss and the drain of a node."""

from collections.abc import Iterator, Sequence

from components.errors import Problem
from components.feature_store import names as store
from delivery.policies.manifest import Manifest, Pod, model_pod, namespace_of, selects
from delivery.policies.stage import StageRules

FEWEST = 2
_REDIS = store.selector(store.REDIS)
_SCALED = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}


def replicas(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """A model has at least two replicas."""
    if not stage.high_availability or _model(manifest, stage) is None:
        return
    count = _replicas(manifest)
    if count < FEWEST:
        yield Problem(
            "is stopped: it has 0 replicas" if count == 0 else "has 1 replica, so a lost node stops it",
            f"set replicas: {FEWEST} or more in the stack file",
        )


def disruption_budget(manifests: Sequence[Manifest], stage: StageRules) -> Iterator[tuple[Manifest, Problem]]:
    """A model with several replicas has a PodDisruptionBudget, so that drains leave at least one of them serving."""
    if not stage.high_availability:
        return
    budgets = [m for m in manifests if m["kind"] == "PodDisruptionBudget"]
    for manifest in manifests:
        pod = _model(manifest, stage)
        if pod is None or _replicas(manifest) < FEWEST:
            continue
        if not any(
            namespace_of(budget) == namespace_of(manifest) and _selects(budget, pod) for budget in budgets
        ):
            yield (
                manifest,
                Problem(
                    "has no PodDisruptionBudget, so drains may take all of its replicas at once",
                    "set disruptionBudget.enabled: true, which is the default",
                ),
            )


def _model(manifest: Manifest, stage: StageRules) -> Pod | None:
    pod = model_pod(manifest, stage) if manifest["kind"] in _SCALED else None
    # A stage's own Redis is one by design: two would write the same volume.
    return None if pod and pod.labels.items() >= _REDIS.items() else pod


def _replicas(manifest: Manifest) -> int:
    """One where the field is missing, as in Kubernetes."""
    count = manifest["spec"].get("replicas")
    return 1 if count is None else int(count)


def _selects(budget: Manifest, pod: Pod) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    return selector is not None and selects(selector, pod.labels)
