"""Labels and annotations that every object has, and those that some have."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from components.kubernetes.objects import Manifest
from components.settings.namespaces import PodSecurity
from components.settings.stack import PROJECT

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

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_LONGEST_LABEL = 63
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_HASH_DIGITS = 8


def version_label(version: str) -> str:
    """A version as the value of a label.

    A tag of an image may be longer than a label's value, and start or end with another character. Such a one is cut,
    and gets the first digits of its SHA-256, so that two versions never have the same label.
    """
    if len(version) <= _LONGEST_LABEL and _LABEL_VALUE.fullmatch(version):
        return version
    digits = hashlib.sha256(version.encode()).hexdigest()[:_HASH_DIGITS]
    start = version.strip("-_.")[: _LONGEST_LABEL - 1 - _HASH_DIGITS].rstrip("-_.")
    return f"{start}-{digits}" if start else digits


def deployer_name(stage: str) -> str:
    """The name of the Role and the RoleBinding by which a controller's account deploys a stage: those of gitops/."""
    return f"{PROJECT}-{stage}-deployer"


def stage_labels(stage: str) -> dict[str, str]:
    """The labels of every object of a stage."""
    return {MANAGED_BY: "pulumi", PART_OF: PROJECT, STAGE: stage}


def annotations(stage: str) -> dict[str, str]:
    """The annotations of every object.

    The field manager is fixed. With the provider's random one, objects adopted after a killed run would still be owned
    by the dead run's manager, and the next change would fail with a field conflict.
    """
    return {"pulumi.com/patchFieldManager": f"{PROJECT}-{stage}"}


def not_awaited(metadata: Manifest) -> Manifest:
    """The metadata of an object that nothing waits for.

    A Service works as soon as it exists, and the rollout waits for its pods. Waiting for its endpoints takes 10 s
    longer, and would fail where a rollout may take longer than that wait.
    """
    return {**metadata, "annotations": {**metadata["annotations"], "pulumi.com/skipAwait": "true"}}


def kept() -> dict[str, str]:
    """The annotations of objects that hold data: neither Argo CD, Flux nor a heal of drift removes them.

    For Pulumi there is an option of the resource, which rendered manifests do not have.
    """
    return {
        KEEP: "true",
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        # Else the Application would be out of sync for as long as the data stays.
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }


def is_kept(manifest: Mapping[str, Any]) -> bool:
    """True for an object with the annotations of `kept`: it stays when nothing declares it any more."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get(KEEP) == "true")


def wave(number: int) -> dict[str, str]:
    """The annotation that makes Argo CD apply an object once all lower waves are healthy; without it, the wave is 0.

    Pulumi gets the order from `depends_on`, which rendered manifests do not have.
    """
    return {"argocd.argoproj.io/sync-wave": str(number)}


def namespace_metadata(
    name: str, stage: str, standard: PodSecurity, annotated: Mapping[str, str] | None = None
) -> Manifest:
    """The metadata of a namespace of the stage, which enforces a Pod Security Standard.

    Args:
        name: The namespace.
        stage: The stage.
        standard: The standard that its pods must meet.
        annotated: Further annotations.
    """
    return {
        "name": name,
        "labels": {
            **stage_labels(stage),
            "pod-security.kubernetes.io/enforce": standard.value,
            "pod-security.kubernetes.io/warn": standard.value,
        },
        "annotations": {**annotations(stage), **(annotated or {})},
    }
