"""What the policies find in a stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from policy.rules.violation import Level, Violation

__all__ = ["Level", "Violation", "violations"]


def violations(project: Path, stage: str, manifests: Sequence[dict[str, Any]]) -> list[Violation]:
    """Everything the policies find in a stage, mandatory first, then by policy and object.

    Args:
        project: The checkout; its stack file says what the stage asks for, its git history how versions went.
        stage: The stage's name.
        manifests: The stage's objects, as `delivery.render.manifests` gives them.

    Raises:
        SettingsError: the stack file has problems.
    """
    raise NotImplementedError
