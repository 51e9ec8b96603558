"""Stage: the cluster and the namespace that one stack may touch, and what limits the namespace."""

from collections.abc import Iterable

from components.kubernetes import naming
from components.kubernetes.network import default_deny_spec
from components.kubernetes.objects import (
    Component,
    KubernetesObject,
    Manifest,
    Provider,
    kubernetes_object,
    objects_of,
)
from components.settings.model import ModelSettings
from components.settings.namespaces import PodSecurity
from components.settings.quota import Quota
from components.settings.stack import PROJECT, StackSettings

# No model can have a name with a dot.
_DEFAULT_DENY, _QUOTA = f"default-deny.{PROJECT}", f"quota.{PROJECT}"


def stage_component(stack: StackSettings) -> Component:
    """The Kubernetes provider of a stage and, where the stage owns it, its Namespace."""
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
    namespaces = (_namespace(stack),) if stack.namespace_owned else ()
    own = (_own_namespace(m, m.pod_security, stack) for m in stack.models if m.pod_security is not None)
    quotas = (
        _quota(stack.quota, stack, each) for each in stack.serving_namespaces if stack.quota is not None
    )
    first = (*namespaces, *own, *quotas)
    return Component(type="Stage", name=stack.stage, children=(provider, *first), ready=first)


def _namespace(stack: StackSettings) -> KubernetesObject:
    keeps_data = stack.feature_store is not None and stack.feature_store.keeps_data
    return kubernetes_object(
        "Namespace",
        # Deleting a namespace deletes what is in it.
        naming.namespace_metadata(
            stack.namespace, stack.stage, stack.pod_security, naming.kept() if keeps_data else {}
        ),
        retain_on_delete=keeps_data,
    )


def _own_namespace(model: ModelSettings, standard: PodSecurity, stack: StackSettings) -> KubernetesObject:
    return kubernetes_object(
        "Namespace", naming.namespace_metadata(stack.namespace_of(model), stack.stage, standard)
    )


def _quota(quota: Quota, stack: StackSettings, namespace: str) -> KubernetesObject:
    """The ResourceQuota of a namespace; pods that come before it would not be limited by it."""
    return _limit("ResourceQuota", _QUOTA, stack, namespace, {"hard": dict(sorted(quota.items()))})


def _limit(kind: str, name: str, stack: StackSettings, namespace: str, spec: Manifest) -> KubernetesObject:
    """An object that each namespace of the models has one of."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": naming.stage_labels(stack.stage),
        "annotations": naming.annotations(stack.stage),
    }
    return kubernetes_object(
        kind, metadata, {"spec": spec}, name=name if namespace == stack.namespace else f"{name}.{namespace}"
    )


def isolation(stack: StackSettings, stage: Component, parts: Iterable[Component]) -> Component:
    """What denies all traffic of the models' namespaces that no other policy allows, in those that the stage owns.

    Args:
        stack: The stage.
        stage: What `stage_component` returned.
        parts: Everything else in the stage. Its policies exist first, so that no request is lost in between.
    """
    namespaces, owned = stack.serving_namespaces, stack.owned_namespaces.values()
    allowed = tuple(
        one
        for part in parts
        for one in objects_of(part)
        if one.manifest["kind"] == "NetworkPolicy" and one.manifest["metadata"]["namespace"] in namespaces
    )
    policies = tuple(
        _limit("NetworkPolicy", _DEFAULT_DENY, stack, namespace, default_deny_spec())
        for namespace in namespaces
        if namespace in owned
    )
    return Component(type="Isolation", name=stack.stage, children=policies, after=(*stage.ready, *allowed))
