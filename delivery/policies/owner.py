"""Every model has an owner."""

from collections.abc import Iterator

from components.errors import Problem
from components.kubernetes.naming import OWNER
from delivery.policies.manifest import Manifest, labels_of, model_pod
from delivery.policies.stage import StageRules


def owner(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Workloads in the stage's namespace have the owner's label, and so have their pods: alerts are routed by it."""
    pod = model_pod(manifest, stage)
    if pod is None:
        return
    for what, labels in (("the object", labels_of(manifest)), ("its pods' template", pod.labels)):
        if not labels.get(OWNER):
            yield Problem(f"{what} has no label {OWNER}", "set owner in the model file")
