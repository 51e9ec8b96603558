"""Who may reach a model, and whom the model may reach. Pure functions."""

from collections.abc import Mapping, Sequence

import pulumi_kubernetes as k8s

from components.feature_store import names as feature_store_names
from components.kubernetes import naming
from components.settings.model import Destination, ModelSettings, Peer
from components.settings.monitoring import Monitoring, MonitoringDelivery

# Kubernetes labels every namespace with its own name.
NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53
_FEATURE_STORE = feature_store_names.selector(feature_store_names.SERVER)


def network_policy_spec(
    model: ModelSettings, monitoring: Monitoring
) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """The NetworkPolicySpec: in from the named clients and what monitors, out to DNS and what the model names."""
    clients = model.network.clients
    return {
        "pod_selector": {"match_labels": naming.selector(model)},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [
            *([from_peers([_peer(client) for client in clients], model.port)] if clients else []),
            *scrapers(monitoring, model.metrics.port),
        ],
        "egress": [
            dns(),
            *(
                [to_pods(_FEATURE_STORE, feature_store_names.SERVER_PORT)]
                if model.features is not None
                else []
            ),
            *(destination(wanted) for wanted in model.network.egress),
        ],
    }


def scrapers(monitoring: Monitoring, port: int) -> list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict]:
    """Lets what monitors in to a port; nobody where nothing does."""
    if monitoring.delivery is MonitoringDelivery.NONE:
        return []
    return [
        from_peers([{"namespace_selector": {"match_labels": {NAMESPACE_NAME: monitoring.namespace}}}], port)
    ]


def dns() -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Lets out to the cluster's name servers."""
    return {
        "to": [
            {
                "namespace_selector": {"match_labels": {NAMESPACE_NAME: "kube-system"}},
                "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
            }
        ],
        "ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")],
    }


def to_pods(selector: Mapping[str, str], port: int) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Lets out to pods of the same namespace."""
    return {
        "to": [{"pod_selector": {"match_labels": dict(selector)}}],
        "ports": [{"protocol": "TCP", "port": port}],
    }


def from_pods(
    selectors: Sequence[Mapping[str, str]], port: int
) -> list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict]:
    """Lets pods of the same namespace in; nobody where no selector is given, since no peer would mean everybody."""
    peers: list[k8s.networking.v1.NetworkPolicyPeerArgsDict] = [
        {"pod_selector": {"match_labels": dict(selector)}} for selector in selectors
    ]
    return [from_peers(peers, port)] if peers else []


def from_peers(
    peers: list[k8s.networking.v1.NetworkPolicyPeerArgsDict], port: int
) -> k8s.networking.v1.NetworkPolicyIngressRuleArgsDict:
    """Lets peers in to a port."""
    return {"from_": peers, "ports": [{"protocol": "TCP", "port": port}]}


def _peer(peer: Peer) -> k8s.networking.v1.NetworkPolicyPeerArgsDict:
    spec: k8s.networking.v1.NetworkPolicyPeerArgsDict = {
        "pod_selector": {"match_labels": dict(sorted(peer.labels.items()))}
    }
    if peer.namespace is not None:
        spec["namespace_selector"] = {"match_labels": {NAMESPACE_NAME: peer.namespace}}
    return spec


def destination(wanted: Destination) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Lets out to pods or addresses."""
    to: k8s.networking.v1.NetworkPolicyPeerArgsDict = (
        _peer(wanted.pods) if wanted.pods is not None else {"ip_block": {"cidr": wanted.cidr or ""}}
    )
    return {"to": [to], "ports": [{"protocol": "TCP", "port": port} for port in wanted.ports]}
