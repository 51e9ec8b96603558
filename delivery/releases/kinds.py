"""Whether a cluster has every kind of object that a stage contains: an update must not fail halfway."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.errors import UserError
from delivery.drift.kubectl import Kubectl, served_kinds
from delivery.output import listed


def refuse_unknown_kinds(manifests: Sequence[Mapping[str, Any]], kubectl: Kubectl) -> None:
    """Refuse a stage with an object of a kind that the cluster does not have.

    Pulumi's preview assumes that the definition of such an object comes with the same update, and the update creates
    the other objects before it fails.

    Args:
        manifests: The objects of the stage.
        kubectl: The stage's cluster.

    Raises:
        UserError: the cluster lacks some of the kinds, or cannot be reached.
    """
    wanted = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}
    if missing := sorted(wanted - served_kinds(kubectl.kinds())):
        names = listed(f"{kind} in {version}" for version, kind in missing)
        raise UserError(
            f"the cluster at {kubectl.server()} (context {kubectl.current_context()}) does not have the kind {names}",
            "install the custom resource definition of each, or remove the setting that asks for it",
        )
