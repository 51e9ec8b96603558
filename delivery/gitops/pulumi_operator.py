"""The Stack by which the Pulumi operator runs the program in the cluster, from the source branch."""

from itertools import pairwise

from components.settings.stack import PROJECT
from delivery.gitops.access import access_objects, delegator_binding
from delivery.gitops.account import Account, account_name
from delivery.gitops.scope import Manifest, Scope
from delivery.gitops.settings import GitopsSettings


def pulumi_objects(scope: Scope, settings: GitopsSettings) -> list[Manifest]:
    """What is applied for a stage, in this order."""
    namespace = settings.pulumi.namespace
    account = Account(stage=scope.stage, namespace=namespace, token=True)
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        *access_objects(scope, account),
        delegator_binding(account),
        _stack(scope.stage, settings),
    ]


def _stack(stage: str, settings: GitopsSettings) -> Manifest:
    pulumi = settings.pulumi
    before = [first for first, second in pairwise(settings.order) if second == stage]
    # Inline `config` and `secretsRef` are left out: the stack file in git is the only source.
    return {
        "apiVersion": "pulumi.com/v1",
        "kind": "Stack",
        "metadata": {"name": account_name(stage), "namespace": pulumi.namespace},
        "spec": {
            "stack": f"{pulumi.organization}/{PROJECT}/{stage}",
            "projectRepo": settings.repository,
            "branch": settings.branch,
            "shallow": True,
            "backend": pulumi.backend,
            # The committed salt is that of the empty passphrase: the project keeps no secret.
            "envRefs": {"PULUMI_CONFIG_PASSPHRASE": {"type": "Literal", "literal": {"value": ""}}},
            "serviceAccountName": account_name(stage),
            # Without these three an applied commit is never reconciled again, and drift stays.
            "refresh": True,
            "continueResyncOnCommitMatch": True,
            "resyncFrequencySeconds": pulumi.resync_seconds,
            "retryMaxBackoffDurationSeconds": 600,
            # Removing the Stack by mistake removes no model.
            "destroyOnFinalize": False,
            "workspaceTemplate": {
                "spec": {
                    "image": pulumi.image,
                    "resources": {
                        "requests": {"cpu": "500m", "memory": "1Gi"},
                        "limits": {"memory": "2Gi"},
                    },
                }
            },
            "updateTemplate": {"spec": {"parallel": 16, "ttlAfterCompleted": "168h"}},
            **(
                {
                    "prerequisites": [
                        {"name": account_name(name), "requirement": {"succeededWithinDuration": "1h"}}
                        for name in before
                    ]
                }
                if before
                else {}
            ),
        },
    }
