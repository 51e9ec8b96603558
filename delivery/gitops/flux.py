"""The GitRepository and the Kustomization by which Flux follows a stage's rendered branch."""

from components.settings.stack import PROJECT
from delivery.gitops.access import access_objects
from delivery.gitops.account import Account
from delivery.gitops.scope import Manifest, Scope
from delivery.gitops.settings import GitopsSettings
from delivery.rendering.branch import branch_name

# A rollout may load models for ten minutes; see progressDeadlineSeconds.
ROLLOUT_TIMEOUT = "20m"


def flux_objects(scope: Scope, settings: GitopsSettings) -> list[Manifest]:
    """What is applied to Flux's namespace, in this order."""
    account = Account(stage=scope.stage, namespace=settings.flux.namespace)
    metadata = {"name": f"{PROJECT}-{scope.stage}", "namespace": settings.flux.namespace}
    return [
        *access_objects(scope, account),
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": metadata,
            "spec": {
                "url": settings.repository,
                "ref": {"branch": branch_name(scope.stage)},
                "interval": settings.flux.interval,
                "timeout": "60s",
            },
        },
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": metadata,
            "spec": {
                "serviceAccountName": account.name,
                "sourceRef": {"kind": "GitRepository", "name": metadata["name"]},
                "path": "./",
                "interval": settings.flux.interval,
                "retryInterval": settings.flux.interval,
                "timeout": ROLLOUT_TIMEOUT,
                "prune": True,
                # Removing the Kustomization by mistake removes no model.
                "deletionPolicy": "Orphan",
                # The health of everything that is applied; with it, single `healthChecks` would be ignored.
                "wait": True,
                # Never delete and recreate an immutable object: the model would not serve in between.
                "force": False,
            },
        },
    ]
