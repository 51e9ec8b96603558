"""Who may reach a model, and whom the model may reach. Pure functions."""

import pulumi_kubernetes as k8s

from components import naming
from components.model_settings import Destination, ModelSettings, Peer
from components.monitoring_settings import Monitoring, MonitoringDelivery

# Kubernetes labels every namespace with its own name.
NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53


def network_policy_spec(
    model: ModelSettings, monitoring: Monitoring
) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """The NetworkPolicySpec: in from the named clients and what monitors, out to DNS and what the model names."""
    clients = model.network.clients
    scraper: k8s.networking.v1.NetworkPolicyPeerArgsDict = {
        "namespace_selector": {"match_labels": {NAMESPACE_NAME: monitoring.namespace}}
    }
    watched = monitoring.delivery is not MonitoringDelivery.NONE
    return {
        "pod_selector": {"match_labels": naming.selector(model)},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [
            *([_ingress([_peer(client) for client in clients], model.port)] if clients else []),
            *([_ingress([scraper], model.metrics.port)] if watched else []),
        ],
        "egress": [
            {
                "to": [
                    {
                        "namespace_selector": {"match_labels": {NAMESPACE_NAME: "kube-system"}},
                        "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")],
            },
            *(_destination(destination) for destination in model.network.egress),
        ],
    }


def _ingress(
    peers: list[k8s.networking.v1.NetworkPolicyPeerArgsDict], port: int
) -> k8s.networking.v1.NetworkPolicyIngressRuleArgsDict:
    return {"from_": peers, "ports": [{"protocol": "TCP", "port": port}]}


def _peer(peer: Peer) -> k8s.networking.v1.NetworkPolicyPeerArgsDict:
    spec: k8s.networking.v1.NetworkPolicyPeerArgsDict = {
        "pod_selector": {"match_labels": dict(sorted(peer.labels.items()))}
    }
    if peer.namespace is not None:
        spec["namespace_selector"] = {"match_labels": {NAMESPACE_NAME: peer.namespace}}
    return spec


def _destination(destination: Destination) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    to: k8s.networking.v1.NetworkPolicyPeerArgsDict = (
        _peer(destination.pods)
        if destination.pods is not None
        else {"ip_block": {"cidr": destination.cidr or ""}}
    )
    return {"to": [to], "ports": [{"protocol": "TCP", "port": port} for port in destination.ports]}
