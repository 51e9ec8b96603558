"""Who may reach the parts of a stage's own monitoring stack, and whom they may reach. Pure functions."""

from collections.abc import Sequence

from components.kubernetes.network import (
    default_deny_spec,
    from_pods,
    network_policy_spec,
    to_any_address,
    to_destination,
    to_dns,
    to_namespace,
    to_pods,
)
from components.kubernetes.objects import Manifest
from components.monitoring_stack import kube_state_metrics, names
from components.settings.network import Destination
from components.settings.stack import StackSettings

_PROMETHEUS = names.operated_selector(names.PROMETHEUS)
_ALERTMANAGER = names.operated_selector(names.ALERTMANAGER)
# The usual ports of API servers behind their Service, and the kubelet's:
# https://kubernetes.io/docs/reference/networking/ports-and-protocols/
_API_SERVER_PORTS = (443, 6443)
_KUBELET_PORT = 10250


def network_policy_specs(stack: StackSettings) -> dict[str, Manifest]:
    """The NetworkPolicySpecs by name: nothing from outside reaches the namespace, only its parts reach each other.

    Grafana is reached by `kubectl port-forward`, which ends inside the pod and needs no rule.
    """
    settings = stack.monitoring.stack
    grafana, kube_state = names.selector(names.GRAFANA), names.selector(names.KUBE_STATE_METRICS)
    peer = names.ALERTMANAGER_PEER_PORT
    dns = to_dns(stack.dns)
    api_server = _to(settings.network.api_server, _API_SERVER_PORTS)
    return {
        "default-deny": default_deny_spec(),
        names.PROMETHEUS: network_policy_spec(
            _PROMETHEUS,
            from_pods([grafana], ("TCP", names.PROMETHEUS_PORT)),
            [
                *dns,
                *api_server,
                *_to(settings.network.nodes, (_KUBELET_PORT,)),
                *map(to_namespace, stack.serving_namespaces),
                to_pods(kube_state, kube_state_metrics.PORT),
                to_pods(_ALERTMANAGER, names.ALERTMANAGER_PORT),
            ],
        ),
        names.ALERTMANAGER: network_policy_spec(
            _ALERTMANAGER,
            [
                *from_pods([_PROMETHEUS], ("TCP", names.ALERTMANAGER_PORT)),
                *from_pods([_ALERTMANAGER], ("TCP", peer), ("UDP", peer)),
            ],
            [
                *dns,
                to_pods(_ALERTMANAGER, peer, ("TCP", "UDP")),
                *(_to(settings.network.receivers, ()) if settings.receivers else []),
            ],
        ),
        names.KUBE_STATE_METRICS: network_policy_spec(
            kube_state, from_pods([_PROMETHEUS], ("TCP", kube_state_metrics.PORT)), [*dns, *api_server]
        ),
        names.GRAFANA: network_policy_spec(grafana, [], [*dns, to_pods(_PROMETHEUS, names.PROMETHEUS_PORT)]),
    }


def _to(wanted: Sequence[Destination], ports: Sequence[int]) -> list[Manifest]:
    """Egress to what the stack file names; else to the ports of any address."""
    return [to_destination(one) for one in wanted] or [to_any_address(*ports)]
