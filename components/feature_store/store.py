"""FeatureStore: the Feast feature store of a stage."""

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import names
from components.feature_store.feast_pod import configuration
from components.feature_store.jobs import FeatureJobs
from components.feature_store.monitoring import FeatureStoreRules
from components.feature_store.network import network_policy_specs
from components.feature_store.online_store import OnlineStore
from components.feature_store.server import FeatureServer
from components.kubernetes.options import child_options
from components.settings.feature_store import FeatureStoreSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


class FeatureStore(pulumi.ComponentResource):
    """The feature servers, their online store, the jobs that fill it, and who may reach what.

    The order: the online store, the definitions in the registry, the servers, the models that read from them.

    Attributes:
        ready: What a model that reads features waits for.
        summary: What the stack's outputs say of the store: version, image, replicas, url.
    """

    ready: list[pulumi.Resource]
    summary: dict[str, str | int]

    def __init__(
        self,
        store: FeatureStoreSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:FeatureStore", names.SERVER, None, opts)
        child = child_options(self, opts)
        metadata = names.metadata(stack, names.SERVER)
        account = k8s.core.v1.ServiceAccount(
            names.SERVER, metadata=metadata, automount_service_account_token=False, opts=child
        )
        config = k8s.core.v1.ConfigMap(
            names.CONFIGURATION,
            metadata=names.metadata(stack, names.SERVER, name=names.CONFIGURATION),
            data=configuration(store, stack),
            opts=child,
        )
        needed: list[pulumi.Resource] = [account, config]
        if store.network.enabled:
            for part, spec in network_policy_specs(store, stack).items():
                own = names.metadata(stack, part)
                needed.append(k8s.networking.v1.NetworkPolicy(part, metadata=own, spec=spec, opts=child))
        if store.online.redis.install:
            needed += OnlineStore(names.REDIS, store.online.redis, stack, opts=child).ready
        jobs = FeatureJobs(names.APPLY, store, stack, needed, opts=child)
        servers = FeatureServer(names.SERVER, store, stack, [*needed, *jobs.applied], opts=child)
        if stack.monitoring.delivery is not MonitoringDelivery.NONE:
            FeatureStoreRules(names.SERVER, store, stack, opts=child)
        self.ready = servers.ready
        self.summary = {
            "version": store.version,
            "image": store.image_reference,
            "replicas": store.replicas,
            "url": names.server_url(stack),
        }
        self.register_outputs({})
