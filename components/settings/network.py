"""What all pods of a stage have in common on the network: their name servers, and the mesh that they are in."""

from pydantic import model_validator

from components.settings.cidr import Cidr
from components.settings.model import Peer
from components.settings.pod import Port, Settings
from components.settings.wrong import wrong


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
