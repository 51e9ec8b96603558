"""The Pulumi policy pack: the rules over what the engine is about to deploy.

Usage: `pulumi preview --policy-pack policy`, from the project's folder.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
# Before everything else: Pulumi starts the pack from another folder, and the pack's own folder must not hide a module.
sys.path.insert(0, str(PROJECT_FOLDER))

from components.errors import Problem, SettingsError  # noqa: E402
from components.files.sources import Sources  # noqa: E402
from components.settings.stack import StackSettings  # noqa: E402
from components.stack import load_stack  # noqa: E402
from delivery.policies.catalogue import POLICIES, VERSION_ORDER, Policy, in_object, in_stage  # noqa: E402
from delivery.policies.findings import Level, Violation, stage_rules, version_violations  # noqa: E402
from delivery.policies.stage import StageRules  # noqa: E402

ROOT = "pulumi:pulumi:Stack"
KUBERNETES = "kubernetes:"
ADVICE = "advice"
ADVISED = "what an exception allows, or what could not be checked"
OnResource = Callable[[ResourceValidationArgs], Iterable[Violation]]


def stage_of(urn: str) -> str:
    """The name of the stage that a resource belongs to."""
    return urn.split("::", maxsplit=1)[0].rpartition(":")[2]


@cache
def settings(stage: str) -> StackSettings | None:
    """A stage's settings; None where they have problems."""
    try:
        return load_stack(Sources.of(PROJECT_FOLDER), stage).settings
    except SettingsError:
        return None


@cache
def rules(stage: str) -> StageRules | None:
    """What a stage requires of its objects; None where its settings have problems."""
    known = settings(stage)
    return None if known is None else stage_rules(PROJECT_FOLDER, known)


@cache
def history(stage: str) -> tuple[Violation, ...]:
    """What the policy on versions finds in a stage."""
    known = settings(stage)
    return () if known is None else tuple(version_violations(PROJECT_FOLDER, known))


def object_policy(policy: Policy) -> ResourceValidationPolicy:
    """A policy that checks each object at its turn, before it is touched."""
    return on_resource(policy.name, policy.checks, policy.level, lambda args: in_one(policy, args))


def in_one(policy: Policy, args: ResourceValidationArgs) -> Iterable[Violation]:
    """What a policy finds in the Kubernetes object of a resource; nothing for other resources."""
    known = rules(stage_of(args.urn)) if is_object(args.resource_type, args.props) else None
    return () if known is None else in_object(policy, plain(args.props), known)


def in_history(args: ResourceValidationArgs) -> Iterable[Violation]:
    """What the policy on versions finds; reported at the root, which comes before every object."""
    return history(stage_of(args.urn)) if args.resource_type == ROOT else ()


def advice(args: ResourceValidationArgs) -> Iterable[Violation]:
    """The advice of mandatory policies: exceptions, and what could not be checked."""
    known = rules(stage_of(args.urn))
    if known is None:
        if args.resource_type == ROOT:
            yield unchecked()
        return
    yield from in_history(args)
    if known.exceptions:
        for policy in POLICIES:
            if policy.level is Level.MANDATORY:
                yield from in_one(policy, args)


def unchecked() -> Violation:
    """Reports that nothing was checked; the program itself then stops."""
    return Violation(
        policy=ADVICE,
        object="the stage",
        problem=Problem(
            "no policy was checked, since its files have problems", "repair them as the program says"
        ),
        level=Level.ADVISORY,
    )


def on_resource(name: str, checks: str, level: Level, find: OnResource) -> ResourceValidationPolicy:
    """A Pulumi policy that reports the findings of its own level."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for violation in find(args):
            if violation.level is level:
                report(text_of(violation), None)

    return ResourceValidationPolicy(name, checks, validate, EnforcementLevel(level.value))


def on_stage(name: str, checks: str, level: Level, policies: Sequence[Policy]) -> StackValidationPolicy:
    """A Pulumi policy that checks all objects together, at the end of a preview or an update."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        known = rules(stage_of(args.resources[0].urn)) if args.resources else None
        if known is None or (level is Level.ADVISORY and not known.exceptions):
            return
        objects = [plain(r.props) for r in args.resources if is_object(r.resource_type, r.props)]
        for violation in (v for p in policies for v in in_stage(p, objects, known)):
            if violation.level is level:
                report(text_of(violation), None)

    return StackValidationPolicy(name, checks, validate, EnforcementLevel(level.value))


def text_of(violation: Violation) -> str:
    """What Pulumi shows below the policy's own name."""
    return f"{violation.object}: {violation.problem}"


def is_object(resource_type: str, props: Mapping[str, Any]) -> bool:
    """Whether a resource is a Kubernetes object."""
    return resource_type.startswith(KUBERNETES) and "kind" in props and "metadata" in props


def plain(value: Any) -> Any:  # noqa: ANN401
    """Any mapping as a dict and any sequence as a list, with whole numbers as integers.

    Protobuf carries every number as a float; Kubernetes' own are integers.
    """
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def pack() -> Sequence[ResourceValidationPolicy | StackValidationPolicy]:
    """Every policy of the catalogue, and the advice: a Pulumi policy has one level for all it reports."""
    of_stage = [policy for policy in POLICIES if policy.of_stage]
    return [
        *(object_policy(policy) for policy in POLICIES if policy.of_object),
        *(on_stage(policy.name, policy.checks, policy.level, [policy]) for policy in of_stage),
        on_resource(VERSION_ORDER.name, VERSION_ORDER.checks, VERSION_ORDER.level, in_history),
        on_resource(ADVICE, ADVISED, Level.ADVISORY, advice),
        on_stage(f"{ADVICE}-of-stage", ADVISED, Level.ADVISORY, of_stage),
    ]


PolicyPack("ml-deployments", list(pack()), EnforcementLevel.MANDATORY)
