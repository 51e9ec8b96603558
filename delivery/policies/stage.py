"""What a rule knows of the stage whose objects it looks at."""

from dataclasses import dataclass

from components.settings.policy import PolicyException


@dataclass(frozen=True, kw_only=True)
class StageRules:
    """What a stage asks of its objects.

    Attributes:
        stage: The stage's name.
        namespace: Where its models are.
        namespaces: Every namespace that is the stage's own.
        high_availability: Each model needs several replicas and a PodDisruptionBudget.
        require_digest: Each model's image must be pinned by its digest.
        exceptions: What is let pass all the same.
    """

    stage: str
    namespace: str
    namespaces: frozenset[str]
    high_availability: bool = False
    require_digest: bool = False
    exceptions: tuple[PolicyException, ...] = ()
