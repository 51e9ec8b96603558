"""Access: what a service account may ask the Kubernetes API, in one namespace or of the cluster."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.monitoring_stack import names
from components.settings.stack import StackSettings

READ = ("get", "list", "watch")
_GROUP = "rbac.authorization.k8s.io"


def rule(group: str, resources: Sequence[str], verbs: Sequence[str] = READ) -> k8s.rbac.v1.PolicyRuleArgsDict:
    """Verbs on resources of one API group; the core group's name is empty."""
    return {"api_groups": [group], "resources": list(resources), "verbs": list(verbs)}


def grant(
    stack: StackSettings,
    part: str,
    namespace: str,
    rules: Sequence[k8s.rbac.v1.PolicyRuleArgsDict],
    opts: pulumi.ResourceOptions,
) -> None:
    """Give the part's service account the rules in one namespace: a Role and its RoleBinding."""
    metadata = names.metadata(stack, part, namespace=namespace)
    k8s.rbac.v1.Role(f"{part}-{namespace}", metadata=metadata, rules=list(rules), opts=opts)
    k8s.rbac.v1.RoleBinding(
        f"{part}-{namespace}",
        metadata=metadata,
        role_ref={"api_group": _GROUP, "kind": "Role", "name": part},
        subjects=[_account(stack, part)],
        opts=opts,
    )


def grant_cluster(
    stack: StackSettings,
    part: str,
    rules: Sequence[k8s.rbac.v1.PolicyRuleArgsDict],
    opts: pulumi.ResourceOptions,
) -> None:
    """Give the part's service account rules on what has no namespace: a ClusterRole and its ClusterRoleBinding."""
    metadata = names.cluster_metadata(stack, part)
    k8s.rbac.v1.ClusterRole(part, metadata=metadata, rules=list(rules), opts=opts)
    k8s.rbac.v1.ClusterRoleBinding(
        part,
        metadata=metadata,
        role_ref={"api_group": _GROUP, "kind": "ClusterRole", "name": names.cluster_name(stack, part)},
        subjects=[_account(stack, part)],
        opts=opts,
    )


def _account(stack: StackSettings, part: str) -> k8s.rbac.v1.SubjectArgsDict:
    return {"kind": "ServiceAccount", "name": part, "namespace": stack.monitoring.namespace}
