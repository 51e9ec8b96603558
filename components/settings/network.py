"""Who may reach pods, and whom they may reach; the name servers of a stage, and the mesh that it is in."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.cidr import Cidr, is_strict_part
from components.settings.identifiers import DnsLabel, LabelKey, LabelValue
from components.settings.pod import Port, Settings
from components.settings.wrong import wrong


class Peer(Settings):
    """Pods by label, in the stage's namespace unless another is named; a model's own namespace is another."""

    namespace: DnsLabel | None = None
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]


class Destination(Settings):
    """What a model may connect to: pods by label, or addresses; on these ports."""

    pods: Peer | None = None
    cidr: Cidr | None = None
    """A range of addresses, like 10.0.0.0/16."""
    excluded: Annotated[tuple[Cidr, ...], Field(alias="except")] = ()
    """Ranges inside the cidr that stay blocked, such as the metadata address 169.254.169.254/32."""
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"

    @model_validator(mode="after")
    def _one(self) -> "Destination":
        if (self.pods is None) == (self.cidr is None):
            raise wrong("must name either pods or a cidr", "keep one of the two")
        for part in self.excluded:
            if self.cidr is None:
                raise wrong("except needs a cidr, of which it blocks a part", "remove except")
            if not is_strict_part(part, self.cidr):
                raise wrong(
                    f"except {part} is not a smaller range inside {self.cidr}",
                    "write a part of the cidr, or remove it",
                )
        return self


class Network(Settings):
    """What may connect to the model, and what it may connect to. DNS and monitoring are always allowed."""

    enabled: bool = True
    """false: everything may connect to the model, and it may connect to everything."""
    clients: tuple[Peer, ...] = ()
    """Pods that may send requests."""
    egress: tuple[Destination, ...] = ()
    """What the model itself connects to."""


class DnsServer(Settings):
    """Name servers: pods by label, or addresses such as those of a cache on each node."""

    pods: Peer | None = None
    cidr: Cidr | None = None
    port: Port = 53
    """The port on which the pods listen, behind the Service's port 53."""

    @model_validator(mode="after")
    def _one(self) -> "DnsServer":
        if (self.pods is None) == (self.cidr is None):
            raise wrong("must name either pods or a cidr", "keep one of the two")
        return self


# CoreDNS and its predecessors, as every installer of Kubernetes labels them.
CLUSTER_DNS = (DnsServer(pods=Peer(namespace="kube-system", labels={"k8s-app": "kube-dns"})),)


class ServiceMesh(Settings):
    """A service mesh that tunnels the traffic between pods, such as Istio in its ambient mode."""

    port: Port
    """The port of the tunnel, 15008 for Istio; it is allowed wherever pods may reach each other."""
    probes_from: Cidr | None = None
    """The addresses from which the mesh sends the kubelet's probes: 169.254.7.127/32 for Istio. Default: the node's."""
