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
    first = (*namespaces, *([] if stack.quota is None else [_quota(stack.quota, stack)]))
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


def _quota(quota: Quota, stack: StackSettings) -> KubernetesObject:
    """The ResourceQuota of the namespace; pods that come before it would not be limited by it."""
    return kubernetes_object(
        "ResourceQuota", _metadata(_QUOTA, stack), {"spec": {"hard": dict(sorted(quota.items()))}}
    )


def _metadata(name: str, stack: StackSettings) -> Manifest:
    return {
        "name": name,
        "namespace": stack.namespace,
        "labels": naming.stage_labels(stack.stage),
        "annotations": naming.annotations(stack.stage),
    }


def isolation(stack: StackSettings, stage: Component, parts: Iterable[Component]) -> Component:
    """What denies all traffic of the stage's namespace that no other policy allows.

    Args:
        stack: The stage.
        stage: What `stage_component` returned.
        parts: Everything else in the stage. Its policies exist first, so that no request is lost in between.
    """
    allowed = tuple(
        one
        for part in parts
        for one in objects_of(part)
        if one.manifest["kind"] == "NetworkPolicy"
        and one.manifest["metadata"]["namespace"] == stack.namespace
    )
    policy = kubernetes_object(
        "NetworkPolicy",
        _metadata(_DEFAULT_DENY, stack),
        {"spec": default_deny_spec()},
    )
    return Component(type="Isolation", name=stack.stage, children=(policy,), after=(*stage.ready, *allowed))
