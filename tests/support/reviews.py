"""The parts of a review, with invented values for tests."""

from decimal import Decimal
from typing import Any

from components.errors import Problem
from components.kubernetes import naming
from delivery.identity import Identity
from delivery.policies.findings import Level, Violation
from delivery.registries.facts import ReleaseFacts, VersionProblem
from delivery.registries.gates import Verdict
from delivery.registries.mlflow_registry import ModelVersion
from delivery.releases.changes import Deployed, Release
from delivery.review.manifest_changes import ManifestChange
from delivery.review.preview import Step

OLD, NEW = {"value": "old"}, {"value": "new"}


def gate(*, passed: bool = False) -> Verdict:
    """The verdict of a gate that requires more."""
    return Verdict(
        metric="f1",
        before=Decimal("0.90"),
        after=Decimal("0.80"),
        rule="at least 0.85",
        passed=passed,
        reason="0.80 is below 0.85",
    )


def facts(
    before: str | None = None,
    verdicts: tuple[Verdict, ...] = (),
    *,
    digest: str | None = None,
    problem: str | None = None,
    known: bool = False,
    **metrics: str,
) -> ReleaseFacts:
    """What the registries say about a version with metrics, and about one before with only `f1`."""
    registered = ModelVersion(
        name="m",
        number="1",
        version="v1",
        aliases=(),
        run=None,
        dataset=None,
        owner=None,
        metrics={name: Decimal(value) for name, value in metrics.items()},
    )
    problems = (
        (VersionProblem(field="version", reason=problem, fix="start it", known=known),) if problem else ()
    )
    old = {} if before is None else {"f1": Decimal(before)}
    return ReleaseFacts(
        digest=digest, registered=registered, metrics_before=old, verdicts=verdicts, problems=problems
    )


def finding(level: Level = Level.MANDATORY) -> Violation:
    """What a policy finds."""
    return Violation(
        policy="replicas",
        object="Deployment ml-production/m",
        problem=Problem("has one replica", "give it two"),
        level=level,
    )


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


def named(kind: str, name: str = "m") -> Identity:
    """An object of the stage."""
    return Identity(kind=kind, namespace="ml-production", name=name, group="")


def step(operation: str, kind: str, name: str = "m", **more: Any) -> Step:
    """A step on one object."""
    return Step(operation=operation, object=named(kind, name), target=named(kind, name), **more)


def manifest(kind: str, name: str = "m", *, of_model: bool = True, **more: Any) -> dict[str, Any]:
    """A manifest, of the model with its name or of none."""
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
