"""The ServiceAccount that deploys a stage in the cluster, and what it may do: no more than the stage needs."""

from components.settings.stack import PROJECT
from delivery.gitops.scope import Manifest, Scope

RBAC = "rbac.authorization.k8s.io"
WRITE = ["get", "list", "watch", "create", "update", "patch", "delete"]
READ = ["get", "list", "watch"]
# The kinds that the components create in a namespace, by group. A test compares them with what the stages render.
_MADE = {
    "": ["configmaps", "persistentvolumeclaims", "resourcequotas", "serviceaccounts", "services"],
    "apps": ["deployments", "statefulsets"],
    "batch": ["cronjobs", "jobs"],
    "monitoring.coreos.com": [
        "alertmanagerconfigs",
        "alertmanagers",
        "prometheuses",
        "prometheusrules",
        "scrapeconfigs",
        "servicemonitors",
    ],
    "networking.k8s.io": ["networkpolicies"],
    "policy": ["poddisruptionbudgets"],
    RBAC: ["rolebindings", "roles"],
}
# What is read to see whether a rollout is complete.
_WATCHED = {
    "": ["endpoints", "events", "pods", "replicationcontrollers"],
    "apps": ["replicasets"],
    "discovery.k8s.io": ["endpointslices"],
}
_PLURALS = {
    "Namespace": "namespaces",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
}


def account_name(stage: str) -> str:
    """`ml-deployments-staging`; its roles have the same name."""
    return f"{PROJECT}-{stage}"


def access_objects(scope: Scope, namespace: str) -> list[Manifest]:
    """The account in a controller's namespace, and its permissions, in the order to apply them.

    The stage's namespaces are created here too, without labels: a RoleBinding needs its namespace, and the stage needs
    the RoleBinding before it can create anything.
    """
    name = f"{account_name(scope.stage)}-deployer"
    account = {"kind": "ServiceAccount", "name": account_name(scope.stage), "namespace": namespace}
    core = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in scope.namespaces]
    rights = [_role(name, place, scope) for place in scope.namespaces]
    bindings = [_binding("RoleBinding", name, "Role", account, place) for place in scope.namespaces]
    return [
        *core,
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {k: account[k] for k in ("name", "namespace")},
        },
        *rights,
        *bindings,
        _cluster_role(name, scope),
        _binding("ClusterRoleBinding", name, "ClusterRole", account),
    ]


def delegator_binding(scope: Scope, namespace: str) -> Manifest:
    """Lets the Pulumi operator's pods ask the API server who calls them."""
    account = {"kind": "ServiceAccount", "name": account_name(scope.stage), "namespace": namespace}
    return _binding(
        "ClusterRoleBinding",
        f"{account_name(scope.stage)}-auth-delegator",
        "ClusterRole",
        account,
        role="system:auth-delegator",
    )


def _role(name: str, namespace: str, scope: Scope) -> Manifest:
    rules = [_rule(group, kinds, WRITE) for group, kinds in _MADE.items()]
    rules += [_rule(group, kinds, READ) for group, kinds in _WATCHED.items()]
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": [*rules, *_granted(scope, namespace)],
    }


def _cluster_role(name: str, scope: Scope) -> Manifest:
    """Its own objects by name; creating cannot be limited to names."""
    rules: list[Manifest] = []
    for group, kind in sorted({(group, kind) for group, kind, _ in scope.cluster}):
        names = sorted(n for g, k, n in scope.cluster if (g, k) == (group, kind))
        rules.append(_rule(group, [_PLURALS[kind]], ["create"]))
        rules.append(
            _rule(group, [_PLURALS[kind]], [v for v in WRITE if v != "create"]) | {"resourceNames": names}
        )
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [*rules, *_granted(scope, "")],
    }


def _granted(scope: Scope, namespace: str) -> list[Manifest]:
    """What the stage grants there, each once: an account may only grant permissions that it has."""
    rules: list[Manifest] = []
    for rule in scope.granted.get(namespace, ()):
        if rule not in rules:
            rules.append(rule)
    return rules


def _rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    # Copies: YAML would write the same list as a reference.
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _binding(
    kind: str, name: str, of: str, account: Manifest, namespace: str | None = None, *, role: str | None = None
) -> Manifest:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": of, "name": role or name},
        "subjects": [account],
    }
