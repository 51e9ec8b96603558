"""The AppProject and the Application by which Argo CD follows a stage's rendered branch."""

from components.settings.stack import PROJECT
from delivery.gitops.access import access_objects
from delivery.gitops.account import Account
from delivery.gitops.admission import only_the_account_policy
from delivery.gitops.scope import Manifest, Scope
from delivery.gitops.settings import GitopsSettings
from delivery.rendering.branch import branch_name

API = "argoproj.io/v1alpha1"
CLUSTER = "https://kubernetes.default.svc"


def argocd_objects(scope: Scope, settings: GitopsSettings) -> list[Manifest]:
    """What is applied, in this order: the account that Argo CD applies the stage as, then what it follows."""
    account = Account(stage=scope.stage, namespace=settings.argocd.namespace)
    metadata = {"name": f"{PROJECT}-{scope.stage}", "namespace": settings.argocd.namespace}
    return [
        *access_objects(scope, account),
        *only_the_account_policy(scope, account),
        {
            "apiVersion": API,
            "kind": "AppProject",
            "metadata": metadata,
            "spec": {
                "description": f"What the stage {scope.stage} of {PROJECT} may touch",
                "sourceRepos": [settings.repository],
                "destinations": [{"server": CLUSTER, "namespace": name} for name in scope.namespaces],
                "clusterResourceWhitelist": [
                    {"group": group, "kind": kind, "name": name} for group, kind, name in scope.cluster
                ],
                # Of every Application in the project, whatever namespace it names.
                "destinationServiceAccounts": [
                    {
                        "server": CLUSTER,
                        "namespace": "*",
                        "defaultServiceAccount": f"{account.namespace}:{account.name}",
                    }
                ],
                # Everyone can read a Secret in git.
                "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
            },
        },
        {
            "apiVersion": API,
            "kind": "Application",
            # Without Argo CD's finalizer: removing the Application by mistake removes no model.
            "metadata": metadata,
            "spec": {
                "project": metadata["name"],
                "source": {
                    "repoURL": settings.repository,
                    "targetRevision": branch_name(scope.stage),
                    "path": ".",
                },
                "destination": {"server": CLUSTER, "namespace": scope.namespaces[0]},
                "syncPolicy": {
                    "automated": {"prune": True, "selfHeal": True, "allowEmpty": False},
                    # Not PruneLast: it would wait until all is healthy, and a fix would wait for a broken release.
                    # Not ApplyOutOfSyncOnly: a failed Job is in sync, so the next try would skip it.
                    "syncOptions": ["ServerSideApply=true", "FailOnSharedResource=true"],
                    # `refresh` tries the newest commit, so that a fix does not wait until retries of a broken one end.
                    "retry": {
                        "limit": 10,
                        "refresh": True,
                        "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"},
                    },
                },
            },
        },
    ]
