"""FeatureStore: the Feast feature store of a stage."""

from components.feature_store import names
from components.feature_store.feast_pod import server_configuration
from components.feature_store.jobs import feature_jobs
from components.feature_store.monitoring import feature_store_rules
from components.feature_store.network import network_policy_specs
from components.feature_store.online_store import online_store
from components.feature_store.server import feature_server
from components.kubernetes.objects import Component, KubernetesObject, kubernetes_object
from components.kubernetes.workloads import service_account
from components.settings.feature_store import FeatureStoreSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


def feature_store(
    store: FeatureStoreSettings, stack: StackSettings, after: tuple[KubernetesObject, ...]
) -> Component:
    """The feature servers, their online store, the jobs that fill it, and who may reach what.

    The order: the online store, the definitions in the registry, the servers, the models that read from them.

    Args:
        store: The stage's feature store.
        stack: The stage.
        after: What must exist before any of it.

    Returns:
        The component; it is ready when models can read features.
    """
    children: list[Component | KubernetesObject] = [
        service_account(names.metadata(stack, names.SERVER)),
        kubernetes_object(
            "ConfigMap",
            names.metadata(stack, names.SERVER, name=names.CONFIGURATION),
            {"data": server_configuration(store, stack)},
        ),
    ]
    children += [
        kubernetes_object("NetworkPolicy", names.metadata(stack, part), {"spec": spec})
        for part, spec in network_policy_specs(store, stack).items()
    ]
    needed = tuple(child for child in children if isinstance(child, KubernetesObject))
    if store.online.redis.install:
        children.append(redis := online_store(store.online.redis, stack))
        needed += redis.ready
    jobs = feature_jobs(store, stack, needed)
    servers = feature_server(store, stack, (*needed, *jobs.ready))
    children += [jobs, servers]
    if stack.monitoring.delivery is not MonitoringDelivery.NONE:
        children.append(feature_store_rules(store, stack))
    return Component(
        type="FeatureStore",
        name=names.SERVER,
        children=tuple(children),
        after=after,
        ready=servers.ready,
    )


def summary(store: FeatureStoreSettings, stack: StackSettings) -> dict[str, str | int]:
    """The stack's outputs for the store: version, image, replicas, url."""
    return {
        "version": store.version,
        "image": store.image_reference,
        "replicas": store.replicas,
        "url": names.server_url(stack),
    }
