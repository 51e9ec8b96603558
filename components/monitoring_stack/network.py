"""Who may reach the parts of a stage's own monitoring stack. Pure functions."""

from collections.abc import Mapping, Sequence

import pulumi_kubernetes as k8s

from components.monitoring_stack import kube_state_metrics, names

_PROMETHEUS = names.operated_selector(names.PROMETHEUS)
_ALERTMANAGER = names.operated_selector(names.ALERTMANAGER)


def network_policy_specs() -> dict[str, k8s.networking.v1.NetworkPolicySpecArgsDict]:
    """The NetworkPolicySpecs by name: nobody reaches the namespace but for what its parts tell each other.

    Grafana is reached by `kubectl port-forward`, which ends inside the pod and needs no rule. Egress stays open:
    Prometheus scrapes nodes and asks the API server, Alertmanager calls webhooks, and a policy has no names for these.
    """
    return {
        "default-deny": {"pod_selector": {}, "policy_types": ["Ingress"]},
        names.PROMETHEUS: _policy(
            _PROMETHEUS,
            _from([names.selector(names.GRAFANA)], {"TCP": names.PROMETHEUS_PORT}),
        ),
        names.ALERTMANAGER: _policy(
            _ALERTMANAGER,
            _from([_PROMETHEUS], {"TCP": names.ALERTMANAGER_PORT}),
            _from(
                [_ALERTMANAGER], {"TCP": names.ALERTMANAGER_PEER_PORT, "UDP": names.ALERTMANAGER_PEER_PORT}
            ),
        ),
        names.KUBE_STATE_METRICS: _policy(
            names.selector(names.KUBE_STATE_METRICS), _from([_PROMETHEUS], {"TCP": kube_state_metrics.PORT})
        ),
    }


def _policy(
    pods: Mapping[str, str], *ingress: k8s.networking.v1.NetworkPolicyIngressRuleArgsDict
) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    return {
        "pod_selector": {"match_labels": dict(pods)},
        "policy_types": ["Ingress"],
        "ingress": list(ingress),
    }


def _from(
    peers: Sequence[Mapping[str, str]], ports: Mapping[str, int]
) -> k8s.networking.v1.NetworkPolicyIngressRuleArgsDict:
    return {
        "from_": [{"pod_selector": {"match_labels": dict(peer)}} for peer in peers],
        "ports": [{"protocol": protocol, "port": port} for protocol, port in ports.items()],
    }
