"""Whose a difference is, where something other than git and people owns it on purpose. Pure functions.

A client chooses its manager name itself, and anyone may write any annotation: a name says whom to ask and proves
nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from delivery.drift.fields import Entry, Path
from delivery.identity import Identity

AUTOSCALER = "a HorizontalPodAutoscaler"
# Every autoscaler of Kubernetes' own writes `replicas` here; `kubectl scale` does too, under another name.
_SCALE = ("kube-controller-manager", "scale")
# How controllers begin the name of their field manager.
_MANAGERS: Final = {
    "cluster-policy-controller": "OpenShift",
    "istio": "Istio",
    "keda": "KEDA",
    "linkerd": "Linkerd",
    "openshift": "OpenShift",
    "pilot-discovery": "Istio",
    "rancher": "Rancher",
    "vpa-": "the VerticalPodAutoscaler",
}
# The domains before the slash of a platform's labels and annotations, and those of its subdomains.
_DOMAINS: Final = {
    "cattle.io": "Rancher",
    "istio.io": "Istio",
    "linkerd.io": "Linkerd",
    "openshift.io": "OpenShift",
}
_WITHOUT_DOMAIN: Final = {"istio-injection": "Istio"}


def controller(entry: Entry | None) -> str:
    """The controller that wrote a field, by the name of its manager; empty for another client, or none."""
    if entry is None:
        return ""
    if (entry.manager, entry.subresource) == _SCALE:
        return AUTOSCALER
    return next((name for start, name in _MANAGERS.items() if entry.manager.startswith(start)), "")


def scaled(found: Iterable[Mapping[str, Any]]) -> set[Identity]:
    """The objects that some HorizontalPodAutoscaler scales, among the objects of the stage's namespaces."""
    targets = set()
    for one in found:
        if one["kind"] == "HorizontalPodAutoscaler":
            target = one["spec"]["scaleTargetRef"]
            group = target.get("apiVersion", "").rpartition("/")[0]
            space = one["metadata"].get("namespace", "")
            targets.add(Identity(kind=target["kind"], namespace=space, name=target["name"], group=group))
    return targets


def platform(here: Identity, path: Path) -> str:
    """The platform whose label or annotation of a namespace is at a path; empty for all else."""
    key = metadata_key(here, path)
    if key is None:
        return ""
    domain = key.rpartition("/")[0]
    names = (name for end, name in _DOMAINS.items() if domain == end or domain.endswith(f".{end}"))
    return _WITHOUT_DOMAIN.get(key) or next(names, "")


def metadata_key(here: Identity, path: Path) -> str | None:
    """The key of the label or annotation of a namespace at a path; None for all else."""
    in_namespace = here.kind == "Namespace" and path[:1] == ("metadata",) and len(path) == len(("", "", ""))
    return str(path[2]) if in_namespace and path[1] in {"labels", "annotations"} else None
