"""Stage: the cluster and the namespace that one stack may touch."""

from components.kubernetes import naming
from components.kubernetes.objects import Component, Provider, kubernetes_object
from components.settings.stack import StackSettings


def stage_component(stack: StackSettings) -> Component:
    """The Kubernetes provider of a stage and its Namespace."""
    provider = Provider(
        name="kubernetes",
        inputs={
            "context": stack.kube_context,
            # Without it, another KUBECONFIG replaces every object: deleted from one cluster, created in the other.
            "cluster_identifier": stack.stage,
            # A killed run leaves objects that are not in the state; the next run takes them over.
            "upsert_existing_objects": True,
            "enable_server_side_apply": True,
            # Git is the source of truth: a field that someone else took over is taken back.
            "enable_patch_force": True,
            # The SDK takes these from the environment unless they are set; only the files may decide.
            "delete_unreachable": False,
            "skip_update_unreachable": False,
            "enable_config_map_mutable": True,
            "enable_secret_mutable": True,
        },
    )
    keeps_data = stack.feature_store is not None and stack.feature_store.keeps_data
    namespace = kubernetes_object(
        "Namespace",
        # Deleting a namespace deletes what is in it.
        naming.namespace_metadata(
            stack.namespace, stack.stage, stack.pod_security, naming.kept() if keeps_data else {}
        ),
        retain_on_delete=keeps_data,
    )
    return Component(type="Stage", name=stack.stage, children=(provider, namespace), ready=(namespace,))
