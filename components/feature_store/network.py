"""Who may reach the parts of a feature store, and whom they may reach. Pure functions."""

from collections.abc import Sequence

import pulumi_kubernetes as k8s

from components.feature_store import names
from components.kubernetes import naming
from components.serving.network import destination, dns, from_pods, scrapers, to_pods
from components.settings.feature_store import REDIS_PORT, FeatureStoreSettings
from components.settings.stack import StackSettings

_FEAST = (names.SERVER, names.APPLY, names.MATERIALIZATION)


def network_policy_specs(
    store: FeatureStoreSettings, stack: StackSettings
) -> dict[str, k8s.networking.v1.NetworkPolicySpecArgsDict]:
    """The NetworkPolicySpecs by the part they are for.

    The models that name a service reach the servers, servers and jobs reach Redis and what the stack file names, what
    monitors reaches the metrics, and nobody anything else.
    """
    readers = [naming.selector(model) for model in stack.feature_readers]
    serve = [*from_pods(readers, names.SERVER_PORT), *scrapers(stack.monitoring, names.METRICS_PORT)]
    found = {part: _policy(part, serve if part == names.SERVER else [], _egress(store)) for part in _FEAST}
    if store.online.redis.install:
        clients = [names.selector(part) for part in _FEAST]
        found[names.REDIS] = _policy(
            names.REDIS,
            [*from_pods(clients, REDIS_PORT), *scrapers(stack.monitoring, names.EXPORTER_PORT)],
            [],
        )
    return found


def _egress(store: FeatureStoreSettings) -> list[k8s.networking.v1.NetworkPolicyEgressRuleArgsDict]:
    own = [to_pods(names.selector(names.REDIS), REDIS_PORT)] if store.online.redis.install else []
    return [dns(), *own, *(destination(wanted) for wanted in store.network.egress)]


def _policy(
    part: str,
    ingress: Sequence[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict],
    egress: Sequence[k8s.networking.v1.NetworkPolicyEgressRuleArgsDict],
) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    return {
        "pod_selector": {"match_labels": names.selector(part)},
        "policy_types": ["Ingress", "Egress"],
        "ingress": list(ingress),
        "egress": list(egress),
    }
