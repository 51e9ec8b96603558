"""NetworkPolicies: who may reach pods, and whom they may reach. Pure functions."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from components.kubernetes.objects import Manifest
from components.settings.cidr import METADATA_ADDRESSES
from components.settings.monitoring import Monitoring, MonitoringDelivery
from components.settings.network import Destination, DnsServer, Peer, ServiceMesh

# Kubernetes labels every namespace with its own name.
NAMESPACE_NAME = "kubernetes.io/metadata.name"


def network_policy_spec(
    selector: Mapping[str, str],
    ingress: Sequence[Manifest],
    egress: Sequence[Manifest],
    *,
    mesh: ServiceMesh | None = None,
) -> Manifest:
    """The NetworkPolicySpec of the pods that a selector matches.

    Args:
        selector: The labels of the pods.
        ingress: What may reach them.
        egress: What they may reach.
        mesh: The mesh through which they and their peers reach each other.
    """
    return {
        "podSelector": _labelled(selector),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [_tunnelled(rule, mesh) for rule in ingress],
        "egress": [_tunnelled(rule, mesh) for rule in egress],
    }


def _tunnelled(rule: Manifest, mesh: ServiceMesh | None) -> Manifest:
    """A rule that also allows the mesh's tunnel to or from the same peers, where they are pods."""
    peers = rule.get("from") or rule.get("to") or ()
    if mesh is None or "ports" not in rule or not any("ipBlock" not in peer for peer in peers):
        return rule
    return {**rule, "ports": [*rule["ports"], _port(mesh.port)]}


def default_deny_spec() -> Manifest:
    """The NetworkPolicySpec by which a namespace's pods reach and are reached by nothing but what others allow."""
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def open_policy_spec(selector: Mapping[str, str]) -> Manifest:
    """The NetworkPolicySpec of pods that may connect to everything, and everything to them."""
    return network_policy_spec(selector, [{}], [{}])


def from_peers(peers: Sequence[Manifest], *ports: tuple[str, int]) -> Manifest:
    """Allows ingress from peers to ports, each a protocol and a number."""
    return {"from": list(peers), "ports": [_port(number, protocol) for protocol, number in ports]}


def from_pods(selectors: Sequence[Mapping[str, str]], *ports: tuple[str, int]) -> list[Manifest]:
    """Allows pods of the same namespace; no rule without selectors, since an empty list of peers would allow all."""
    peers = [{"podSelector": _labelled(selector)} for selector in selectors]
    return [from_peers(peers, *ports)] if peers else []


def from_clients(clients: Sequence[Peer], port: int) -> list[Manifest]:
    """Allows ingress from pods that may be in other namespaces; no rule without any, which would allow all."""
    return [from_peers([_peer(client) for client in clients], ("TCP", port))] if clients else []


def from_scrapers(monitoring: Monitoring, port: int) -> list[Manifest]:
    """Allows ingress from monitoring to a port; no rule where nothing monitors."""
    if monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [
        from_peers([{"namespaceSelector": _labelled({NAMESPACE_NAME: monitoring.namespace})}], ("TCP", port))
    ]


def from_probes(mesh: ServiceMesh | None, *ports: int) -> list[Manifest]:
    """Allows ingress from where a mesh sends the kubelet's probes; without a mesh, a node always reaches its pods."""
    if mesh is None or mesh.probes_from is None:
        return []
    return [from_peers([{"ipBlock": {"cidr": mesh.probes_from}}], *(("TCP", port) for port in ports))]


def to_dns(servers: Sequence[DnsServer]) -> list[Manifest]:
    """Allows egress to name servers, a rule for each."""
    return [
        {
            "to": [_addressed(server.pods, server.cidr)],
            "ports": [_port(server.port, protocol) for protocol in ("UDP", "TCP")],
        }
        for server in servers
    ]


def to_pods(selector: Mapping[str, str], port: int, protocols: Sequence[str] = ("TCP",)) -> Manifest:
    """Allows egress to pods of the same namespace."""
    return {
        "to": [{"podSelector": _labelled(selector)}],
        "ports": [_port(port, protocol) for protocol in protocols],
    }


def to_namespace(name: str) -> Manifest:
    """Allows egress to every pod of a namespace; which of its ports are open is up to the policies there."""
    return {"to": [{"namespaceSelector": _labelled({NAMESPACE_NAME: name})}]}


def to_any_address(*ports: int) -> Manifest:
    """Allows egress to TCP ports of any address; without ports, to everything but clouds' metadata services."""
    if ports:
        return {"ports": [_port(port) for port in ports]}
    holes = [ip_network(address) for address in METADATA_ADDRESSES]
    blocks = [
        {"ipBlock": {"cidr": cidr, "except": [str(hole) for hole in holes if hole.version == version]}}
        for cidr, version in (("0.0.0.0/0", 4), ("::/0", 6))
    ]
    # For some networks, such as Cilium's, pods have no addresses that a range could name.
    return {"to": [{"namespaceSelector": {}}, *blocks]}


def to_destination(wanted: Destination) -> Manifest:
    """Allows egress to pods or addresses that settings name."""
    return {
        "to": [_addressed(wanted.pods, wanted.cidr, wanted.excluded)],
        "ports": [_port(port, wanted.protocol) for port in wanted.ports],
    }


def _addressed(pods: Peer | None, cidr: str | None, excluded: Sequence[str] = ()) -> Manifest:
    """The peer of pods by label, else of addresses."""
    if pods is not None:
        return _peer(pods)
    return {"ipBlock": {"cidr": cidr, **({"except": list(excluded)} if excluded else {})}}


def _peer(peer: Peer) -> Manifest:
    spec: Manifest = {"podSelector": _labelled(dict(sorted(peer.labels.items())))}
    if peer.namespace is not None:
        spec["namespaceSelector"] = _labelled({NAMESPACE_NAME: peer.namespace})
    return spec


def _labelled(labels: Mapping[str, str]) -> Manifest:
    return {"matchLabels": dict(labels)}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"protocol": protocol, "port": number}
