"""What a rule knows about the stage whose objects it checks."""

from dataclasses import dataclass

from delivery.policies.exceptions import Exemption


@dataclass(frozen=True, kw_only=True)
class StageRules:
    """What a stage requires of its objects.

    Attributes:
        stage: The stage's name.
        serving: The namespaces of its models and its feature store.
        namespaces: Every namespace that is the stage's own.
        high_availability: Each model needs several replicas and a PodDisruptionBudget.
        require_digest: Each model's image must be pinned by its digest.
        monitoring_digests: The images of the monitoring stack must be pinned, too.
        allowed_registries: Each image is below one of them; none: below any.
        exceptions: What is allowed anyway, and what was until it ended.
    """

    stage: str
    serving: frozenset[str]
    namespaces: frozenset[str]
    high_availability: bool = False
    require_digest: bool = False
    monitoring_digests: bool = False
    allowed_registries: tuple[str, ...] = ()
    exceptions: tuple[Exemption, ...] = ()
