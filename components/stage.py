"""Stage: the cluster and the namespace that one stack may touch."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.settings.stack import PodSecurity, StackSettings


def namespace_labels(stage: str, standard: PodSecurity) -> dict[str, str]:
    """The labels of a namespace of the stage: the stage's own, and the Pod Security Standard it enforces."""
    return {
        **naming.stage_labels(stage),
        "pod-security.kubernetes.io/enforce": standard.value,
        "pod-security.kubernetes.io/warn": standard.value,
    }


class Stage(pulumi.ComponentResource):
    """The Kubernetes provider of a stage and its Namespace.

    Attributes:
        options: What every resource of the stage is created with.
    """

    options: pulumi.ResourceOptions

    def __init__(self, stack: StackSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ml-deployments:index:Stage", stack.stage, None, opts)
        provider = k8s.Provider(
            "kubernetes",
            context=stack.kube_context,
            # Without it, another KUBECONFIG replaces every object: deleted from one cluster, made in the other.
            cluster_identifier=stack.stage,
            # A killed run leaves objects that no state knows of; the next one takes them over.
            upsert_existing_objects=True,
            enable_server_side_apply=True,
            # Git is the truth: a field that somebody else took over is taken back.
            enable_patch_force=True,
            # The SDK takes these from the environment unless they are given; only the files may decide.
            delete_unreachable=False,
            skip_update_unreachable=False,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        keeps_data = stack.feature_store is not None and stack.feature_store.keeps_data
        namespace = k8s.core.v1.Namespace(
            stack.namespace,
            metadata={
                "name": stack.namespace,
                "labels": namespace_labels(stack.stage, stack.pod_security),
                # What it holds goes with a namespace.
                "annotations": {**naming.annotations(stack.stage), **(naming.kept() if keeps_data else {})},
            },
            opts=pulumi.ResourceOptions(parent=self, provider=provider, retain_on_delete=keeps_data),
        )
        self.options = pulumi.ResourceOptions(providers=[provider], depends_on=[namespace])
        self.register_outputs({})

    def options_after(self, resources: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        """The stage's options for what waits for more than its namespace."""
        return pulumi.ResourceOptions.merge(self.options, pulumi.ResourceOptions(depends_on=list(resources)))
