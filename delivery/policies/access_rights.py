"""What a stage grants is listed, and lets its holder take no further rights."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import Problem
from delivery.policies.manifest import Manifest
from delivery.policies.stage import StageRules

_GROUP = "rbac.authorization.k8s.io/"
_LISTS = ("apiGroups", "resources", "verbs", "nonResourceURLs")
# https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
_ESCALATING_VERBS = {"bind", "escalate", "impersonate"}
_ESCALATING_RESOURCES = {
    "nodes/proxy",
    "pods/attach",
    "pods/ephemeralcontainers",
    "pods/exec",
    "serviceaccounts/token",
}
# Kubernetes' own roles for people: each may read Secrets or run pods, and some may grant rights.
_BROAD_ROLES = {"admin", "cluster-admin", "edit"}
_EVERYONE = {
    "system:anonymous",
    "system:authenticated",
    "system:masters",
    "system:serviceaccounts",
    "system:unauthenticated",
}


def access_rights(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """Roles name what they grant, grant nothing that leads to more, and are bound to accounts and not to everyone."""
    if not manifest["apiVersion"].startswith(_GROUP):
        return
    if manifest.get("aggregationRule"):
        yield Problem("takes the rules of other ClusterRoles, whatever they are", "list its rules")
    for rule in manifest.get("rules") or ():
        yield from _rule(rule)
    role = (manifest.get("roleRef") or {}).get("name", "")
    if role in _BROAD_ROLES or role.startswith("system:"):
        yield Problem(f"grants the ClusterRole {role}", "bind a role that lists what the account needs")
    for subject in manifest.get("subjects") or ():
        name = subject.get("name", "")
        if name in _EVERYONE or name.startswith("system:serviceaccounts:"):
            yield Problem(f"grants its role to {name}", "name the ServiceAccount that needs it")


def _rule(rule: Mapping[str, Any]) -> Iterator[Problem]:
    wide = [f"{field} {value}" for field in _LISTS for value in rule.get(field) or () if "*" in value]
    if wide:
        yield Problem(f"grants {', '.join(wide)}, which is not a list", "name each one")
    for field, dangerous in (("verbs", _ESCALATING_VERBS), ("resources", _ESCALATING_RESOURCES)):
        found = sorted(dangerous & set(rule.get(field) or ()))
        if found:
            yield Problem(
                f"grants {field} {', '.join(found)}, with which an account takes further rights",
                "remove it from the role",
            )
