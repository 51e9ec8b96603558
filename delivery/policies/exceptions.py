"""What a stage is exempt from: its exceptions with reason and end, and the policies that it does not ask for.

An exception ends by the day of the commit and not by the clock, so that a commit is always judged the same.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from components.errors import UserError
from components.settings.policy import EVERY_OBJECT, PolicyName
from components.settings.stack import StackSettings
from delivery.git.repository import Repository


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One exception of a stage.

    Attributes:
        policy: The policy's name.
        name: The name of the exempt object; `*` for every object, which switches the policy off.
        reason: Why.
        until: Its last day.
        ended: The commit is of a later day, so the exception allows nothing.
    """

    policy: PolicyName
    name: str
    reason: str
    until: date
    ended: bool

    def covers(self, policy: PolicyName, name: str) -> bool:
        """True for a policy and the name of an object that this is about, whether or not it has ended."""
        return self.policy is policy and self.name in {EVERY_OBJECT, name}

    def __str__(self) -> str:
        """One line: policy, object, end and reason."""
        what = "off for every object" if self.name == EVERY_OBJECT else f"exception for {self.name}"
        end = "ended on" if self.ended else "until"
        return f"{self.policy}: {what}, {end} {self.until}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class NotAsked:
    """A policy that checks nothing in a stage, since a setting does not ask for it."""

    policy: PolicyName
    setting: str

    def __str__(self) -> str:
        """One line: policy and setting."""
        return f"{self.policy}: not asked for by {self.setting}"


def exemptions(project: Path, stack: StackSettings) -> tuple[Exemption, ...]:
    """The exceptions of a stage, in the order of the file.

    Args:
        project: The checkout; the day of its commit says which exceptions have ended. Without a commit none has.
        stack: The stage's settings.
    """
    day = _judged_on(project) if stack.policy.exceptions else None
    return tuple(
        Exemption(
            policy=one.policy,
            name=one.name,
            reason=one.reason,
            until=one.until,
            ended=day is not None and one.until < day,
        )
        for one in stack.policy.exceptions
    )


def not_asked(stack: StackSettings) -> tuple[NotAsked, ...]:
    """The policies that a stage does not ask for, each with the setting that would."""
    asked = {
        PolicyName.IMAGE_DIGEST: ("requireDigest", stack.require_digest),
        PolicyName.REPLICAS: ("policy.highAvailability", stack.policy.high_availability),
        PolicyName.DISRUPTION_BUDGET: ("policy.highAvailability", stack.policy.high_availability),
        PolicyName.MONITORING_DIGEST: (
            "policy.monitoringDigests",
            stack.policy.monitoring_digests or not stack.monitoring.stack.install,
        ),
        PolicyName.QUOTA: ("quota", stack.quota is not None),
        PolicyName.ALLOWED_REGISTRIES: ("policy.allowedRegistries", bool(stack.policy.allowed_registries)),
    }
    return tuple(NotAsked(policy=name, setting=setting) for name, (setting, on) in asked.items() if not on)


def _judged_on(project: Path) -> date | None:
    """The day in UTC of the commit that is checked out; None where there is no commit, no repository or no git."""
    try:
        (commit,) = Repository(project).log("--max-count=1", "HEAD", "--")
    except UserError:
        return None
    # A time that no calendar has must not keep an exception alive.
    return datetime.fromisoformat(commit.when).astimezone(UTC).date() if commit.when else date.max
