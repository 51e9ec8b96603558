"""What the policies find in a stage."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.errors import Problem
from components.settings.stack import StackSettings
from delivery.history.version_history import last_changes
from delivery.policies.catalogue import VERSION_ORDER, in_objects
from delivery.policies.exceptions import exemptions
from delivery.policies.stage import StageRules
from delivery.policies.version_order import VersionChange, not_judged, version_order
from delivery.policies.violation import Level, Violation

__all__ = ["Level", "Violation", "stage_rules", "version_violations", "violations"]


def violations(
    project: Path, settings: StackSettings, manifests: Sequence[dict[str, Any]]
) -> list[Violation]:
    """Everything the policies find in a stage, mandatory first, then by policy and object.

    Args:
        project: The checkout; its git history says how versions changed.
        settings: The stage's settings.
        manifests: The stage's objects, as `delivery.rendering.render.manifests` returns them.
    """
    found = in_objects(manifests, stage_rules(project, settings)) + version_violations(project, settings)
    return sorted(found, key=lambda v: (v.level is Level.ADVISORY, v.policy, v.object))


def stage_rules(project: Path, settings: StackSettings) -> StageRules:
    """What a stage's settings require of its objects; the exceptions are those at the commit that is checked out."""
    serving = frozenset(settings.serving_namespaces)
    return StageRules(
        stage=settings.stage,
        serving=serving,
        namespaces=serving | set(settings.owned_namespaces.values()),
        high_availability=settings.policy.high_availability,
        require_digest=settings.require_digest,
        monitoring_digests=settings.policy.monitoring_digests,
        allowed_registries=settings.policy.allowed_registries,
        exceptions=exemptions(project, settings),
    )


def version_violations(project: Path, settings: StackSettings) -> list[Violation]:
    """The models whose version went back without a revert, and as advice what could not be checked."""
    rules = stage_rules(project, settings)
    changes, unknown = last_changes(project, settings.stage)
    found = [
        Violation(
            policy=VERSION_ORDER.name.value,
            object=f"Pulumi.{settings.stage}.yaml",
            problem=replace(problem, reason=f"how versions changed was not checked: {problem.reason}"),
            level=Level.ADVISORY,
        )
        for problem in unknown
    ]
    for change in changes:
        namespace = settings.own_namespaces.get(change.model, settings.namespace)
        what = f"Deployment {namespace}/{change.model}"
        if not_judged(change):
            found.append(_not_judged(change, what))
        elif (finding := version_order(change)) is not None:
            found.append(VERSION_ORDER.violation(change.model, what, finding, rules))
    return found


def _not_judged(change: VersionChange, what: str) -> Violation:
    return Violation(
        policy=VERSION_ORDER.name.value,
        object=what,
        problem=Problem(
            f"whether {change.after} is older than {change.before} cannot be determined from their names",
            "name versions like v1.2.0 to have their order checked",
        ),
        level=Level.ADVISORY,
    )
