"""Which real nodes there are, and the addresses in the world: the network namespace of the control plane and the nodes.

No address is seen outside it, so two sandboxes have the same.
"""

from dataclasses import dataclass

BRIDGE = "world"
# Where the API server, CoreDNS and the registry listen.
WORLD_ADDRESS = "10.244.255.1"
_NODES_PREFIX = "10.244.255"
PODS_RANGE = "10.244.0.0/16"
# The first address of the Services' range, which Kubernetes gives to the API server.
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"
REGISTRY_PORT = 5000
# Where every node has the folder of volumes.
VOLUMES = "/var/lib/volumes"


@dataclass(frozen=True)
class NodePlan:
    """A node: its number from 1, and its zone."""

    number: int
    zone: str

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return f"worker-{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return f"{_NODES_PREFIX}.{10 + self.number}"

    @property
    def pods(self) -> str:
        """The range of its pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def link(self) -> str:
        """The end of its link in the world."""
        return f"{BRIDGE}-{self.number}"


# Two replicas that are spread over zones, and a third node for a surge pod or a lost node.
NODES = (NodePlan(1, "zone-a"), NodePlan(2, "zone-b"), NodePlan(3, "zone-a"))
