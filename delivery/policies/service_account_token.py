"""Models have no credentials for the Kubernetes API."""

from collections.abc import Iterator

from components.errors import Problem
from delivery.policies.manifest import Manifest, model_pod
from delivery.policies.stage import StageRules


def service_account_token(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No pod in the stage's namespace gets a token of its ServiceAccount; the default of Kubernetes mounts one."""
    pod = model_pod(manifest, stage)
    if pod is None:
        return
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield Problem(
            "its pods get a token for the Kubernetes API",
            "keep security.mountServiceAccountToken: false, the default",
        )
    for volume in pod.spec.get("volumes") or ():
        sources = (volume.get("projected") or {}).get("sources") or ()
        if any(source.get("serviceAccountToken") for source in sources):
            yield Problem(
                f"the volume {volume['name']} holds a token of the ServiceAccount", "remove the source"
            )
