"""Who may reach the parts of a stage's own monitoring stack. Pure functions."""

from components.kubernetes.network import from_pods, network_policy_spec
from components.kubernetes.objects import Manifest
from components.monitoring_stack import kube_state_metrics, names

_PROMETHEUS = names.operated_selector(names.PROMETHEUS)
_ALERTMANAGER = names.operated_selector(names.ALERTMANAGER)


def network_policy_specs() -> dict[str, Manifest]:
    """The NetworkPolicySpecs by name: nothing from outside reaches the namespace, only its parts reach each other.

    Grafana is reached by `kubectl port-forward`, which ends inside the pod and needs no rule. Egress stays open:
    Prometheus scrapes nodes and asks the API server, Alertmanager calls webhooks, and a policy has no names for these.
    """
    grafana, kube_state = names.selector(names.GRAFANA), names.selector(names.KUBE_STATE_METRICS)
    peer = names.ALERTMANAGER_PEER_PORT
    return {
        "default-deny": {"podSelector": {}, "policyTypes": ["Ingress"]},
        names.PROMETHEUS: network_policy_spec(
            _PROMETHEUS, from_pods([grafana], ("TCP", names.PROMETHEUS_PORT))
        ),
        names.ALERTMANAGER: network_policy_spec(
            _ALERTMANAGER,
            [
                *from_pods([_PROMETHEUS], ("TCP", names.ALERTMANAGER_PORT)),
                *from_pods([_ALERTMANAGER], ("TCP", peer), ("UDP", peer)),
            ],
        ),
        names.KUBE_STATE_METRICS: network_policy_spec(
            kube_state, from_pods([_PROMETHEUS], ("TCP", kube_state_metrics.PORT))
        ),
    }
