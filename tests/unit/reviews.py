"""What a review is made of, made up for tests."""

from dataclasses import dataclass, field
from typing import Any

from components import naming
from delivery.releases import Deployed, Release
from delivery.review.manifest_changes import ManifestChange
from delivery.review.preview import ObjectName, Step

OLD, NEW = {"value": "old"}, {"value": "new"}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gate's verdict."""

    metric: str = "f1"
    before: object = "0.90"
    after: object = "0.80"
    passed: bool = False
    reason: str = "0.80 is below 0.85"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What the registries say of a version."""

    digest: str | None = None
    run: str | None = None
    metrics_before: dict[str, object] = field(default_factory=dict)
    metrics_after: dict[str, object] = field(default_factory=dict)
    verdicts: tuple[Gate, ...] = ()
    problems: tuple[object, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a policy finds."""

    policy: str = "replicas"
    object: str = "Deployment ml-production/m"
    message: str = "has one replica"
    fix: str = "give it two"
    level: str = "mandatory"


def release(
    model: str = "m",
    before: tuple[str, int] | None = ("v1.2.0", 2),
    after: tuple[str, int] | None = ("v1.3.0", 2),
    *,
    stage: str = "production",
    digests: tuple[str | None, str | None] = (None, None),
    other: tuple[str, ...] = (),
) -> Release:
    """A release from a version and replicas to others; None for a model that is not there."""
    old, new = (
        None if said is None else Deployed(version=said[0], replicas=said[1], digest=digest)
        for said, digest in zip((before, after), digests, strict=True)
    )
    return Release(stage=stage, model=model, before=old, after=new, other_fields=other)


def named(kind: str, name: str = "m", namespace: str = "ml-production") -> ObjectName:
    """An object's name."""
    return ObjectName(kind=kind, namespace=namespace, name=name)


def step(operation: str, kind: str, name: str = "m", **more: Any) -> Step:
    """A step on one object."""
    return Step(operation=operation, object=named(kind, name), target=named(kind, name), **more)


def manifest(kind: str, name: str = "m", *, of_model: bool = True, **more: Any) -> dict[str, Any]:
    """A manifest; of the model of its name or of none."""
    labels = {naming.NAME: name, naming.COMPONENT: naming.MODEL_SERVER} if of_model else {}
    return {"kind": kind, "metadata": {"name": name, "namespace": "ml-production", "labels": labels}, **more}


def changed(
    kind: str, name: str = "m", before: Any = OLD, after: Any = NEW, *, of_model: bool = True
) -> ManifestChange:
    """A change of an object's spec; None where a commit does not have it."""
    old, new = (
        None if spec is None else manifest(kind, name, of_model=of_model, spec=spec)
        for spec in (before, after)
    )
    return ManifestChange(object=named(kind, name), before=old, after=new)
