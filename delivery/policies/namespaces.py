"""A stage touches its own namespaces and nothing else."""

from collections.abc import Iterator

from components.errors import Problem
from components.settings.stack import PROJECT
from delivery.policies.manifest import Manifest, name_of, namespace_of
from delivery.policies.stage import StageRules

# The monitoring stack's Prometheus reads metrics of the nodes, which belong to no namespace.
_CLUSTER_ACCESS = {"ClusterRole", "ClusterRoleBinding"}


def own_namespaces(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """An object is in a namespace of the stage, is one, or is RBAC of the stage's own monitoring stack."""
    own = ", ".join(sorted(stage.namespaces))
    kind, name, namespace = manifest["kind"], name_of(manifest), namespace_of(manifest)
    if kind in _CLUSTER_ACCESS:
        prefix = f"{PROJECT}-{stage.stage}-"
        if not name.startswith(prefix):
            yield Problem(
                f"is cluster-scoped, and its name does not contain the stage: it must start with {prefix}",
                "give it such a name, or use a Role in a namespace of the stage",
            )
    elif kind == "Namespace":
        if name not in stage.namespaces:
            yield Problem(f"is not a namespace of the stage; its own are {own}", "leave it to its owner")
    elif namespace is None:
        yield Problem(
            f"is not in a namespace; the stage's own are {own}",
            "set metadata.namespace; the only cluster-scoped objects that a stage may have are "
            "Namespaces, ClusterRoles and ClusterRoleBindings",
        )
    elif namespace not in stage.namespaces:
        yield Problem(f"is outside the stage's namespaces {own}", "set metadata.namespace to one of them")
