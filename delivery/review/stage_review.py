"""What a review knows about one stage, and what stops the merge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components.feature_store import names as feature_store_names
from delivery.features.plan import FeaturePlan
from delivery.policies.findings import Level, Violation
from delivery.registries.facts import ReleaseFacts
from delivery.releases.changes import Release
from delivery.review.feature_reads import FeatureReads
from delivery.review.manifest_changes import ManifestChange
from delivery.review.preview import Preview, Step
from delivery.review.safety import SafetyChange

# Deleting them stops no request and loses no data; they are created again in seconds.
HARMLESS_KINDS = frozenset(
    {
        "PodDisruptionBudget",
        "ConfigMap",
        "ResourceQuota",
        "PrometheusRule",
        "ServiceMonitor",
        "PodMonitor",
        "ScrapeConfig",
        "Job",
    }
)
_WORKLOADS = frozenset({"Deployment", "StatefulSet"})


@dataclass(frozen=True, kw_only=True)
class StageReview:
    """One stage of a change.

    Attributes:
        stage: Its name.
        safety: What changes of what guards the stage, what weakens it first.
        accepted: Someone accepted what weakens it.
        releases: The models whose entries in the stack file differ.
        facts: What the registries say about the versions, by model; without those that were not checked.
        gated: The models among them that have a gate.
        preview: What Pulumi would do.
        changes: The rendered manifests that differ.
        store: The version, digest and replicas of the feature store; None where they are the same.
        features: What changes in the feature store's registry; None when nothing is applied to it.
        reads: What changes in the features that models read.
        secrets: The Secrets that this commit requires and the base commit does not.
        rollouts: What a release of devices needs or stops, by model, where this change replaces its pods.
        violations: What the policies find.
        exempt: The exceptions from policies with reason and end, and the policies that the stage does not ask for.
        problems: What is wrong with the files; then there is nothing to preview.
        look_at: What a reviewer should look at.
    """

    stage: str
    safety: tuple[SafetyChange, ...] = ()
    accepted: bool = False
    releases: tuple[Release, ...] = ()
    facts: Mapping[str, ReleaseFacts] = field(default_factory=dict)
    gated: frozenset[str] = frozenset()
    preview: Preview = field(default_factory=Preview)
    changes: tuple[ManifestChange, ...] = ()
    store: Release | None = None
    features: FeaturePlan | None = None
    reads: FeatureReads = field(default_factory=FeatureReads)
    secrets: tuple[str, ...] = ()
    rollouts: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    exempt: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    look_at: tuple[str, ...] = ()

    @property
    def weakening(self) -> tuple[SafetyChange, ...]:
        """The changes that stop the merge until someone accepts them."""
        return tuple(change for change in self.safety if change.weakens)

    @property
    def removed_models(self) -> tuple[str, ...]:
        """The models that the change removes from the stage."""
        return tuple(r.model for r in self.releases if r.before is not None and r.after is None)

    @property
    def removed_parts(self) -> frozenset[str]:
        """The parts of the feature store that the change removes from the stage: all of them, or only its Redis."""
        gone = {
            change.store_part
            for change in self.changes
            if change.after is None and change.object.kind in _WORKLOADS
        }
        if feature_store_names.SERVER in gone:
            return frozenset(feature_store_names.PARTS)
        return frozenset({feature_store_names.REDIS} & gone)

    @property
    def unexplained(self) -> tuple[Step, ...]:
        """The steps on objects whose manifests are the same in both commits."""
        changed = {change.object for change in self.changes}
        return tuple(s for s in self.preview.steps if not {s.object, s.target} & changed)

    def expected(self, step: Step) -> bool:
        """True unless a step replaces an object, or deletes one that the change does not clearly remove.

        A deletion is expected when the object itself stays in the cluster, or when the base commit renders it, this one
        does not, and either its kind is in HARMLESS_KINDS or its model, its feature store or that store's Redis was
        removed from the stack file. A namespace never counts, and a claim only if the base commit does not keep it.
        """
        if step.operation not in {"replace", "delete"} or step.kept:
            return True
        gone = {c.object: c for c in self.changes if c.after is None}.get(step.object)
        if step.operation == "replace" or gone is None or step.object.kind == "Namespace":
            return False
        of_store = gone.store_part in self.removed_parts
        if step.object.kind == "PersistentVolumeClaim":
            return of_store and not gone.kept
        return of_store or gone.model in self.removed_models or step.object.kind in HARMLESS_KINDS

    def stops(self) -> Iterator[tuple[str, object]]:
        """Why the change must not be merged as it is: each reason, and what it is about."""
        for change in () if self.accepted else self.weakening:
            yield "it weakens what guards the stage; someone has to accept it", change
        for problem in self.problems:
            yield "a problem of the files", problem
        for problem in self.preview.problems:
            yield "the preview failed", problem
        if self.features is not None and self.features.problem is not None:
            yield "the plan of the features failed", self.features.problem
        for broken in self.reads.broken:
            yield "a service that a model reads is changed under it; give it a new name", broken
        for step in (step for step in self.preview.steps if not self.expected(step)):
            yield _UNEXPECTED[step.operation], step.object
        for model, facts in self.facts.items():
            against = [said for said in facts.problems if said.known]
            for said in against:
                yield "the registries reject the version", f"{model}: {said}"
            if model in self.gated and not facts.verdicts and not against:
                yield "a gate could not be checked", "; ".join([model, *map(str, facts.problems)])
        for found in self.violations:
            if found.level is Level.MANDATORY:
                yield (
                    "a mandatory policy is violated",
                    f"{found.policy}: {found.object}: {found.problem.reason}",
                )


_UNEXPECTED = {
    "replace": "an object is deleted and created again; it does not serve in between",
    "delete": "an object is deleted that the change does not clearly remove",
}
