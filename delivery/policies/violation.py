"""What a policy found."""

from dataclasses import dataclass
from enum import StrEnum

from components.errors import Problem


class Level(StrEnum):
    """What a violation does: `mandatory` stops a deployment, `advisory` is only shown."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One object that a policy does not allow.

    Attributes:
        policy: The policy's name, as docs/policy.md lists it.
        object: Kind, namespace and name, like `Deployment ml-production/sentiment-classifier`.
        problem: What is wrong, and what to do about it.
        level: Whether it stops a deployment.
    """

    policy: str
    object: str
    problem: Problem
    level: Level

    def __str__(self) -> str:
        """One line: policy, object, problem."""
        return f"{self.policy}: {self.object}: {self.problem}"
