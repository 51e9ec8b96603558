"""Access: the permissions of a service account, in one namespace or in the cluster."""

from collections.abc import Iterator, Sequence

from components.kubernetes.objects import KubernetesObject, Manifest, kubernetes_object
from components.monitoring_stack import names
from components.settings.stack import StackSettings

READ = ("get", "list", "watch")
_GROUP = "rbac.authorization.k8s.io"


def rule(group: str, resources: Sequence[str], verbs: Sequence[str] = READ) -> Manifest:
    """Verbs on resources of one API group; the core group's name is empty."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def grant(
    stack: StackSettings, part: str, namespace: str, rules: Sequence[Manifest]
) -> tuple[KubernetesObject, KubernetesObject]:
    """The Role and the RoleBinding that give the part's service account the rules in one namespace."""
    name = f"{part}-{namespace}"
    return (
        kubernetes_object(
            "Role",
            names.metadata(stack, part, namespace=namespace),
            {"rules": list(rules)},
            name=name,
        ),
        kubernetes_object(
            "RoleBinding",
            names.metadata(stack, part, namespace=namespace),
            _binding("Role", part, stack, part),
            name=name,
        ),
    )


def grant_each(
    stack: StackSettings, part: str, namespaces: Sequence[str], rules: Sequence[Manifest]
) -> Iterator[KubernetesObject]:
    """The same in each of several namespaces."""
    for namespace in namespaces:
        yield from grant(stack, part, namespace, rules)


def grant_cluster(
    stack: StackSettings, part: str, rules: Sequence[Manifest]
) -> tuple[KubernetesObject, KubernetesObject]:
    """The ClusterRole and its binding that give the part's service account rules on cluster-scoped objects."""
    role = names.cluster_name(stack, part)
    return (
        kubernetes_object(
            "ClusterRole", names.cluster_metadata(stack, part), {"rules": list(rules)}, name=part
        ),
        kubernetes_object(
            "ClusterRoleBinding",
            names.cluster_metadata(stack, part),
            _binding("ClusterRole", role, stack, part),
            name=part,
        ),
    )


def _binding(kind: str, role: str, stack: StackSettings, part: str) -> Manifest:
    return {
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": part, "namespace": stack.monitoring.namespace}],
    }
