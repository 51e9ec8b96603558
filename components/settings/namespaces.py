"""The namespaces that no stage may have: those of Kubernetes, of controllers and of platforms.

A stage puts its policies and its Pod Security Standard on its namespaces, and removes them with everything in them. And
who may create a pod in a namespace may use every account in it: those of controllers may change the whole cluster.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from components.settings.identifiers import DnsLabel
from components.settings.wrong import wrong

# The prefix is Kubernetes' own: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
_KUBERNETES = {"kube-*": "Kubernetes", "default": "every cluster, which cannot delete it"}
# As their documentation installs them. The first ones deliver stages; an account of the others decides for the cluster.
_CONTROLLERS = {
    "flux-system": "Flux",
    "argocd": "Argo CD",
    "pulumi-kubernetes-operator": "the Pulumi operator",
    "pulumi-stacks": "the Stacks of the Pulumi operator",
    "cert-manager": "cert-manager",
    "external-secrets": "External Secrets",
    "gatekeeper-system": "Gatekeeper",
    "ingress-nginx": "the ingress controller",
    "keda": "KEDA",
    "knative-serving": "Knative",
    "kserve": "KServe",
    "kyverno": "Kyverno",
}
# Where a platform's own Prometheus may be, which is allowed to scrape a stage.
_PLATFORMS = {
    "cattle-*": "Rancher",
    "fleet-default": "Rancher",
    "fleet-local": "Rancher",
    "gke-*": "Google Kubernetes Engine",
    "gmp-public": "Google Kubernetes Engine",
    "gmp-system": "Google Kubernetes Engine",
    "istio-system": "Istio",
    "linkerd": "Linkerd",
    "openshift": "OpenShift",
    "openshift-*": "OpenShift",
}


class PodSecurity(StrEnum):
    """The Pod Security Standards a namespace can enforce."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


def _refused(*names: dict[str, str]) -> AfterValidator:
    owners = [entry for table in names for entry in table.items()]

    def check(value: str) -> str:
        if (owner := _owner(value, owners)) is not None:
            raise wrong(f"belongs to {owner}", "name another one, like ml-staging")
        return value

    return AfterValidator(check)


def _owner(name: str, owners: Iterable[tuple[str, str]]) -> str | None:
    for pattern, owner in owners:
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])):
            return owner
    return None


def reserved(name: str) -> str | None:
    """Whose a namespace is that no model may be in; None for all others."""
    return _owner(name, [*_KUBERNETES.items(), *_CONTROLLERS.items(), *_PLATFORMS.items()])


def platform(name: str) -> str | None:
    """The platform that a namespace belongs to; None for all others."""
    return _owner(name, _PLATFORMS.items())


StageNamespace = Annotated[DnsLabel, _refused(_KUBERNETES, _CONTROLLERS, _PLATFORMS)]
"""A namespace that a stage's models are in."""
MonitoringNamespace = Annotated[DnsLabel, _refused(_KUBERNETES, _CONTROLLERS)]
"""A namespace whose pods scrape a stage."""
ControllerNamespace = Annotated[DnsLabel, _refused(_KUBERNETES)]
"""A namespace of a controller that delivers stages."""
