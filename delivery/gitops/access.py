"""The ServiceAccount that deploys a stage in the cluster, and what it may do: no more than the stage needs."""

from components.kubernetes import naming
from delivery.gitops.account import Account
from delivery.gitops.admission import account_policy
from delivery.gitops.scope import NAMESPACE, RBAC, Manifest, Scope

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
}
# Only where the stage grants something.
_RIGHTS = ["rolebindings", "roles"]
# What is read to see whether a rollout is complete.
_WATCHED = {
    "": ["endpoints", "events", "pods", "replicationcontrollers"],
    "apps": ["replicasets"],
    "discovery.k8s.io": ["endpointslices"],
}
_PLURALS = {
    NAMESPACE: "namespaces",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
}


def access_objects(scope: Scope, account: Account) -> list[Manifest]:
    """The account in a controller's namespace, its permissions and what holds it back, in the order to apply them.

    The namespaces that the stage owns are created here too: a RoleBinding needs its namespace, the stage needs the
    RoleBinding before it can create anything, and the account may not label a namespace.
    """
    name = naming.deployer_name(scope.stage)
    core = [
        {"apiVersion": "v1", "kind": NAMESPACE, "metadata": {"name": place, "labels": dict(labels)}}
        for place, labels in scope.labels.items()
    ]
    rights = [_role(name, place, scope) for place in scope.namespaces]
    bindings = [_binding("RoleBinding", name, "Role", account, place) for place in scope.namespaces]
    cluster = _cluster_rules(scope)
    return [
        *core,
        *account_policy(scope, account),
        account.manifest,
        *rights,
        *bindings,
        *(
            [
                {
                    "apiVersion": f"{RBAC}/v1",
                    "kind": "ClusterRole",
                    "metadata": {"name": name},
                    "rules": cluster,
                },
                _binding("ClusterRoleBinding", name, "ClusterRole", account),
            ]
            if cluster
            else []
        ),
    ]


def delegator_binding(account: Account) -> Manifest:
    """Lets the Pulumi operator's pods ask the API server who calls them."""
    name = f"{account.name}-auth-delegator"
    return _binding("ClusterRoleBinding", name, "ClusterRole", account, role="system:auth-delegator")


def _role(name: str, namespace: str, scope: Scope) -> Manifest:
    rules = [_rule(group, kinds, WRITE) for group, kinds in _MADE.items()]
    rules += [_rule(group, kinds, READ) for group, kinds in _WATCHED.items()]
    own = [place.partition("/")[2] for place in scope.rights if place.startswith(f"{namespace}/")]
    rules += [_rule(RBAC, _RIGHTS, READ), *_own(RBAC, _RIGHTS, own)] if own else []
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": [*rules, *_granted(scope, namespace)],
    }


def _cluster_rules(scope: Scope) -> list[Manifest]:
    rules: list[Manifest] = []
    for group, kind in sorted({(group, kind) for group, kind, _ in scope.cluster}):
        names = sorted(n for g, k, n in scope.cluster if (g, k) == (group, kind))
        rules += _own(group, [_PLURALS[kind]], names)
    return [*rules, *_granted(scope, "")]


def _own(group: str, resources: list[str], names: list[str]) -> list[Manifest]:
    """Its own objects by name; creating cannot be limited to names, so a policy does."""
    others = [verb for verb in WRITE if verb != "create"]
    return [
        _rule(group, resources, ["create"]),
        _rule(group, resources, others) | {"resourceNames": list(names)},
    ]


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
    kind: str, name: str, of: str, account: Account, namespace: str | None = None, *, role: str | None = None
) -> Manifest:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": of, "name": role or name},
        "subjects": [account.subject],
    }
