"""ModelServer: the pods that serve one model, and what keeps them safe."""

import pulumi
import pulumi_kubernetes as k8s

from components.feature_store import names
from components.kubernetes import naming
from components.kubernetes.availability import disruption_budget_spec, rolling_update
from components.kubernetes.options import child_options
from components.serving.monitoring import scrape_annotations
from components.serving.network import network_policy_spec
from components.serving.pod import pod_spec
from components.settings.model import ModelSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


def deployment_spec(model: ModelSettings, stack: StackSettings) -> k8s.apps.v1.DeploymentSpecArgsDict:
    """The DeploymentSpec of a model in a stage."""
    pod: k8s.meta.v1.ObjectMetaArgsDict = {"labels": naming.versioned_labels(model, stack.stage)}
    if stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP:
        pod["annotations"] = scrape_annotations(model.metrics.port, model.metrics.path)
    return {
        "replicas": model.replicas,
        "revision_history_limit": 5,
        "progress_deadline_seconds": model.rollout.progress_deadline_seconds,
        "selector": {"match_labels": naming.selector(model)},
        "strategy": rolling_update(model.rollout),
        "template": {
            "metadata": pod,
            "spec": pod_spec(model, stack),
        },
    }


class ModelServer(pulumi.ComponentResource):
    """Deployment, ServiceAccount, PodDisruptionBudget and NetworkPolicy of one model."""

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:ModelServer", name, None, opts)
        child = child_options(self, opts)
        metadata = naming.metadata(model, stack)
        account = k8s.core.v1.ServiceAccount(
            name, metadata=metadata, automount_service_account_token=False, opts=child
        )
        if model.network.enabled:
            k8s.networking.v1.NetworkPolicy(
                name,
                metadata=metadata,
                spec=network_policy_spec(model, stack.monitoring),
                opts=child,
            )
        # By depends_on, Pulumi knows that the servers come first.
        wave = {} if model.features is None else naming.wave(names.READER_WAVE)
        timeout = f"{model.rollout_timeout_seconds}s"
        k8s.apps.v1.Deployment(
            name,
            metadata={
                **metadata,
                "labels": naming.versioned_labels(model, stack.stage),
                "annotations": {**naming.annotations(stack.stage), **wave},
            },
            spec=deployment_spec(model, stack),
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    depends_on=[account],
                    custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
                ),
            ),
        )
        if model.disruption_budget_applies:
            k8s.policy.v1.PodDisruptionBudget(
                name,
                metadata=metadata,
                spec=disruption_budget_spec(model.disruption_budget.max_unavailable, naming.selector(model)),
                opts=child,
            )
        self.register_outputs({})
