"""Who may reach a model, and whom the model may reach. Pure functions."""

from typing import Any

from components import naming
from components.model_settings import Destination, ModelSettings, Peer

Spec = dict[str, Any]
# Kubernetes labels every namespace with its own name.
NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53


def network_policy_spec(model: ModelSettings, monitoring_namespace: str) -> Spec:
    """The NetworkPolicySpec: in from the named clients and monitoring, out to DNS and what the model names."""
    monitoring = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: monitoring_namespace}}}
    return {
        "podSelector": {"matchLabels": naming.selector(model)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [*(_peer(client) for client in model.network.clients), monitoring],
                "ports": [{"protocol": "TCP", "port": model.port}],
            }
        ],
        "egress": [
            {
                "to": [
                    {
                        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kube-system"}},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")],
            },
            *(_destination(destination) for destination in model.network.egress),
        ],
    }


def _peer(peer: Peer) -> Spec:
    spec: Spec = {"podSelector": {"matchLabels": dict(sorted(peer.labels.items()))}}
    if peer.namespace is not None:
        spec["namespaceSelector"] = {"matchLabels": {NAMESPACE_NAME: peer.namespace}}
    return spec


def _destination(destination: Destination) -> Spec:
    to = (
        {"ipBlock": {"cidr": destination.cidr}}
        if destination.pods is None
        else _peer(destination.pods)
    )
    return {
        "to": [to],
        "ports": [{"protocol": "TCP", "port": port} for port in destination.ports],
    }
