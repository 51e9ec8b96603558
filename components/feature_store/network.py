"""Who may reach the parts of a feature store, and whom they may reach. Pure functions."""

from components.feature_store import names
from components.kubernetes.network import (
    from_clients,
    from_pods,
    from_probes,
    from_scrapers,
    network_policy_spec,
    open_policy_spec,
    to_destination,
    to_dns,
    to_pods,
)
from components.kubernetes.objects import Manifest
from components.kubernetes.staged_model import StagedModel
from components.settings.feature_store import FeatureStoreSettings
from components.settings.redis import REDIS_PORT
from components.settings.stack import StackSettings

_FEAST = (names.SERVER, names.APPLY, names.MATERIALIZATION)


def network_policy_specs(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, Manifest]:
    """The NetworkPolicySpecs by the part that they are for.

    The models that name a service reach the servers, servers and jobs reach Redis and what the stack file names,
    monitoring reaches the metrics, and all else is blocked.
    """
    redis, mesh = [names.REDIS] if store.online.redis.install else [], stack.service_mesh
    if not store.network.enabled:
        return {part: open_policy_spec(names.selector(part)) for part in (*_FEAST, *redis)}
    readers = [StagedModel(model, stack).peer for model in stack.feature_readers]
    serve = [
        *from_clients(readers, names.SERVER_PORT),
        *from_scrapers(stack.monitoring, names.METRICS_PORT),
        *from_probes(mesh, names.SERVER_PORT),
    ]
    egress = _egress(store, stack)
    found = {
        part: network_policy_spec(
            names.selector(part), serve if part == names.SERVER else [], egress, mesh=mesh
        )
        for part in _FEAST
    }
    if redis:
        clients = [names.selector(part) for part in _FEAST]
        reached = [
            *from_pods(clients, ("TCP", REDIS_PORT)),
            *from_scrapers(stack.monitoring, names.EXPORTER_PORT),
            *from_probes(mesh, REDIS_PORT, names.EXPORTER_PORT),
        ]
        found[names.REDIS] = network_policy_spec(names.selector(names.REDIS), reached, [], mesh=mesh)
    return found


def _egress(store: FeatureStoreSettings, stack: StackSettings) -> list[Manifest]:
    own = [to_pods(names.selector(names.REDIS), REDIS_PORT)] if store.online.redis.install else []
    return [*to_dns(stack.dns), *own, *(to_destination(wanted) for wanted in store.network.egress)]
