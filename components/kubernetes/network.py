"""NetworkPolicies: who may reach pods, and whom they may reach. Pure functions."""

from collections.abc import Mapping, Sequence

from components.kubernetes.objects import Manifest
from components.settings.model import Destination, Peer
from components.settings.monitoring import Monitoring, MonitoringDelivery

# Kubernetes labels every namespace with its own name.
NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53


def network_policy_spec(
    selector: Mapping[str, str], ingress: Sequence[Manifest], egress: Sequence[Manifest]
) -> Manifest:
    """The NetworkPolicySpec of the pods that a selector matches."""
    return {
        "podSelector": _labelled(selector),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": list(ingress),
        "egress": list(egress),
    }


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
    """Allows ingress from the pods that a model's settings name; no rule where they name none."""
    return [from_peers([_peer(client) for client in clients], ("TCP", port))] if clients else []


def from_scrapers(monitoring: Monitoring, port: int) -> list[Manifest]:
    """Allows ingress from monitoring to a port; no rule where nothing monitors."""
    if monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [
        from_peers([{"namespaceSelector": _labelled({NAMESPACE_NAME: monitoring.namespace})}], ("TCP", port))
    ]


def to_dns() -> Manifest:
    """Allows egress to the cluster's name servers."""
    return {
        "to": [
            {
                "namespaceSelector": _labelled({NAMESPACE_NAME: "kube-system"}),
                "podSelector": _labelled({"k8s-app": "kube-dns"}),
            }
        ],
        "ports": [_port(DNS_PORT, protocol) for protocol in ("UDP", "TCP")],
    }


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
    """Allows egress to TCP ports of any address; without ports, to everything."""
    return {"ports": [_port(port) for port in ports]} if ports else {}


def to_destination(wanted: Destination) -> Manifest:
    """Allows egress to pods or addresses that settings name."""
    to = _peer(wanted.pods) if wanted.pods is not None else {"ipBlock": _block(wanted)}
    return {"to": [to], "ports": [_port(port) for port in wanted.ports]}


def _block(wanted: Destination) -> Manifest:
    excluded = {"except": list(wanted.excluded)} if wanted.excluded else {}
    return {"cidr": wanted.cidr, **excluded}


def _peer(peer: Peer) -> Manifest:
    spec: Manifest = {"podSelector": _labelled(dict(sorted(peer.labels.items())))}
    if peer.namespace is not None:
        spec["namespaceSelector"] = _labelled({NAMESPACE_NAME: peer.namespace})
    return spec


def _labelled(labels: Mapping[str, str]) -> Manifest:
    return {"matchLabels": dict(labels)}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"protocol": protocol, "port": number}
