"""Names, labels, selectors and annotations of every object of a model."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi_kubernetes as k8s

from components.settings.model import ModelSettings
from components.settings.stack import PROJECT, StackSettings

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
VERSION = "app.kubernetes.io/version"
MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
OWNER = f"{PROJECT}/owner"
STAGE = f"{PROJECT}/stage"
MODEL_SERVER = "model-server"
# An object that stays in the cluster when nothing declares it any more.
KEEP = f"{PROJECT}/keep"


def selector(model: ModelSettings) -> dict[str, str]:
    """What finds the model's pods. Selectors cannot be changed, so it never holds a version."""
    return {NAME: model.name, COMPONENT: MODEL_SERVER}


def stage_labels(stage: str) -> dict[str, str]:
    """The labels of every object of a stage."""
    return {MANAGED_BY: "pulumi", PART_OF: PROJECT, STAGE: stage}


def labels(model: ModelSettings, stage: str) -> dict[str, str]:
    """The labels of a model's objects; without the version, so that a release touches only what shows it."""
    return {**selector(model), **stage_labels(stage), OWNER: model.owner}


def versioned_labels(model: ModelSettings, stage: str) -> dict[str, str]:
    """The labels of what shows the version: the Deployment and its pods."""
    return {**labels(model, stage), VERSION: model.version}


def annotations(stage: str) -> dict[str, str]:
    """The annotations of every object.

    The field manager is fixed. With the provider's random one, objects adopted after a killed run would stay with the
    dead run's manager, and the next change would fail with a field conflict.
    """
    return {"pulumi.com/patchFieldManager": f"{PROJECT}-{stage}"}


def not_awaited(metadata: k8s.meta.v1.ObjectMetaArgsDict) -> k8s.meta.v1.ObjectMetaArgsDict:
    """The metadata of an object that nothing waits for.

    A Service works as soon as it is there, and its pods are awaited by what rolls them out. Waiting for its endpoints,
    which takes 10 s longer, would also fail where a rollout may take longer than that wait.
    """
    annotations = cast("Mapping[str, str]", metadata.get("annotations"))
    return {**metadata, "annotations": {**annotations, "pulumi.com/skipAwait": "true"}}


def kept() -> dict[str, str]:
    """The annotations of what holds data: neither Argo CD, Flux nor a heal of drift removes it.

    Pulumi is told by an option of the resource, which rendered manifests do not have.
    """
    return {
        KEEP: "true",
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        # Else the Application would be out of sync for as long as the data stays.
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }


def is_kept(manifest: Mapping[str, Any]) -> bool:
    """True for an object with the annotations of `kept`: it is meant to stay when nothing declares it any more."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get(KEEP) == "true")


def wave(number: int) -> dict[str, str]:
    """The annotation that lets Argo CD apply an object when all of lower waves is healthy; without it, the wave is 0.

    Pulumi is told the order by `depends_on`, which rendered manifests do not have.
    """
    return {"argocd.argoproj.io/sync-wave": str(number)}


def metadata(model: ModelSettings, stack: StackSettings) -> k8s.meta.v1.ObjectMetaArgsDict:
    """The metadata of every object of a model; its name is the model's."""
    return {
        "name": model.name,
        "namespace": stack.namespace,
        "labels": labels(model, stack.stage),
        "annotations": annotations(stack.stage),
    }


def service_url(model: ModelSettings, namespace: str) -> str:
    """The model's address inside the cluster."""
    return f"http://{model.name}.{namespace}.svc:{model.port}"
