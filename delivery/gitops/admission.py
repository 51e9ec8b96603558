"""What a stage's account may not do although its permissions allow the verb: RBAC knows no values.

The policies need Kubernetes 1.30, and no account can change them.
"""

import json
from collections.abc import Iterable, Sequence

from components.kubernetes import naming
from delivery.gitops.account import Account, account_name
from delivery.gitops.scope import RBAC, Manifest, Scope

_API = "admissionregistration.k8s.io/v1"
_READ = ["get", "list", "watch"]
# Who applies a stage notes it on the objects: with labels, and with annotations.
_NOTED_IN_LABELS = (
    "kustomize.toolkit.fluxcd.io/",
    "app.kubernetes.io/instance",
    "kubernetes.io/metadata.name",
)
_NOTED = (
    "argocd.argoproj.io/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "ml-deployments/",
    "pulumi.com/",
)
_ROLES, _BINDINGS = ["roles", "clusterroles"], ["rolebindings", "clusterrolebindings"]


def account_policy(scope: Scope, account: Account) -> list[Manifest]:
    """What holds the stage's account back, and what puts it into force.

    The account keeps its namespaces as they are declared, grants nothing but reading, and only to accounts of the
    stage, and opens no Service to the outside.
    """
    return _policy(
        naming.deployer_name(scope.stage),
        {
            "resourceRules": [
                _matched("", ["namespaces"], ["CREATE", "UPDATE", "DELETE"]),
                _matched("", ["services"], ["CREATE", "UPDATE"]),
                _matched(RBAC, [*_ROLES, *_BINDINGS], ["CREATE", "UPDATE"]),
            ]
        },
        {"by-the-account": f"request.userInfo.username == {json.dumps(account.user)}"},
        variables={
            "resource": "request.resource.resource",
            "name": "request.operation == 'DELETE' ? request.name : object.metadata.name",
            "declared": _cel({name: dict(labels) for name, labels in scope.labels.items()}),
            "labels": _metadata("object", "labels"),
            "oldLabels": _metadata("oldObject", "labels"),
            "annotations": _metadata("object", "annotations"),
            "oldAnnotations": _metadata("oldObject", "annotations"),
            "granted": _cel([*scope.rights]),
            "place": "(has(request.namespace) ? request.namespace + '/' : '') + variables.name",
        },
        validations=[*_namespaces(scope), *_services(), *_rights(scope)],
    )


def only_the_account_policy(scope: Scope, account: Account) -> list[Manifest]:
    """What makes Argo CD apply the stage as its account, or not at all.

    Impersonation is a setting of the whole Argo CD, off by default; without it, Argo CD would apply as itself, which
    may change the whole cluster. Dry runs change nothing.
    """
    names = sorted(name for _, _, name in scope.cluster)
    return _policy(
        f"{account_name(scope.stage)}-argocd",
        {
            "namespaceSelector": {
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "In",
                        "values": list(scope.namespaces),
                    }
                ]
            },
            "resourceRules": [_matched("*", ["*/*"], ["CREATE", "UPDATE", "DELETE"])],
        },
        {
            "by-argocd-itself": f"request.userInfo.username.startsWith({json.dumps(account.neighbours)}) && "
            f"request.userInfo.username != {json.dumps(account.user)}",
            "not-a-dry-run": "!has(request.dryRun) || !request.dryRun",
        },
        variables={"name": "request.operation == 'DELETE' ? request.name : object.metadata.name"},
        validations=[
            _validation(
                f"has(request.namespace) ? !(request.namespace in {_cel(list(scope.namespaces))}) : "
                f"!(variables.name in {_cel(names)})",
                f"Argo CD must apply this stage as {account.user}: set application.sync.impersonation.enabled to true "
                "in argocd-cm, and change the stage in git only",
            )
        ],
    )


def _namespaces(scope: Scope) -> Iterable[Manifest]:
    own = "variables.resource != 'namespaces' || "
    written = f"{own}request.operation == 'DELETE' || "
    yield _validation(
        f"{own}variables.name in variables.declared",
        f"the account may only have the namespaces of the stage: {', '.join(scope.labels) or 'none'}",
    )
    yield _validation(
        f"{own}request.operation == 'CREATE' || (has(oldObject.metadata.labels) && "
        f"{json.dumps(naming.STAGE)} in oldObject.metadata.labels && "
        f"oldObject.metadata.labels[{json.dumps(naming.STAGE)}] == {json.dumps(scope.stage)})",
        f"the namespace exists and is not the stage's: it lacks the label {naming.STAGE}={scope.stage}",
    )
    yield _validation(
        f"{written}(variables.name in variables.declared && variables.declared[variables.name].all(k, "
        "k in variables.labels && variables.labels[k] == variables.declared[variables.name][k]))",
        "the namespace's labels must be those of gitops/, with the Pod Security Standard; apply gitops/ again after "
        "they changed in git",
    )
    yield _validation(
        f"{written}({_unchanged('labels', 'oldLabels', _NOTED_IN_LABELS, declared=True)})",
        "the account may change no label of a namespace that others set",
    )
    yield _validation(
        f"{written}({_unchanged('annotations', 'oldAnnotations', _NOTED, declared=False)})",
        "the account may change no annotation of a namespace that others set",
    )


def _unchanged(new: str, old: str, noted: Sequence[str], *, declared: bool) -> str:
    """CEL: every key stays as it is, but for those that are noted or declared."""
    own = " || ".join(f"k.startsWith({json.dumps(prefix)})" for prefix in noted)
    if declared:
        own += " || (variables.name in variables.declared && k in variables.declared[variables.name])"
    return (
        f"variables.{new}.all(k, {own} || (k in variables.{old} && variables.{old}[k] == variables.{new}[k])) && "
        f"variables.{old}.all(k, {own} || k in variables.{new})"
    )


def _services() -> Iterable[Manifest]:
    yield _validation(
        "variables.resource != 'services' || (object.spec.type == 'ClusterIP' && "
        "(!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0))",
        "the account may only make Services inside the cluster: type ClusterIP, without externalIPs",
    )


def _rights(scope: Scope) -> Iterable[Manifest]:
    roles, bindings = (f"!(variables.resource in {_cel(kinds)}) || " for kinds in (_ROLES, _BINDINGS))
    both = f"!(variables.resource in {_cel([*_ROLES, *_BINDINGS])}) || "
    yield _validation(
        f"{both}variables.place in variables.granted",
        "the account may only write the roles and bindings of the stage, and never those that it has itself",
    )
    yield _validation(
        f"{roles}(!has(object.aggregationRule) && variables.labels.all(k, !k.startsWith('{RBAC}/')) && "
        f"(!has(object.rules) || object.rules.all(r, r.verbs.all(v, v in {_cel(_READ)}) && "
        "!has(r.nonResourceURLs) && (!has(r.resources) || r.resources.all(x, !x.contains('*') && "
        "x.split('/')[0] != 'secrets')))))",
        "the account may only grant reading, by name of the resources and never of Secrets",
    )
    yield _validation(
        f"{bindings}((object.roleRef.kind == 'Role' ? request.namespace + '/' : '') + object.roleRef.name in "
        "variables.granted && (!has(object.subjects) || object.subjects.all(s, s.kind == 'ServiceAccount' && "
        f"has(s.namespace) && s.namespace in {_cel(list(scope.namespaces))})))",
        "the account may only bind the stage's own roles, and only to accounts in the stage's namespaces",
    )


def _policy(
    name: str,
    constraints: Manifest,
    conditions: dict[str, str],
    *,
    variables: dict[str, str],
    validations: Sequence[Manifest],
) -> list[Manifest]:
    return [
        {
            "apiVersion": _API,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": constraints,
                "matchConditions": [{"name": key, "expression": value} for key, value in conditions.items()],
                "variables": [{"name": key, "expression": value} for key, value in variables.items()],
                "validations": list(validations),
            },
        },
        {
            "apiVersion": _API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]


def _matched(group: str, resources: list[str], operations: list[str]) -> Manifest:
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": list(resources),
    }


def _validation(expression: str, message: str) -> Manifest:
    return {"expression": expression, "message": message}


def _metadata(of: str, field: str) -> str:
    """CEL: labels or annotations; none where there is no object."""
    return f"{of} != null && has({of}.metadata.{field}) ? {of}.metadata.{field} : {{}}"


def _cel(value: object) -> str:
    """A list or a map of texts; CEL writes them as JSON does."""
    return json.dumps(value)
