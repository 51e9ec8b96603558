"""What others say of a change: the registries of its versions, and the policies of its objects.

The two functions are the only places that ask them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from components.model_settings import ModelSettings
from components.settings import StackSettings

MANDATORY = "mandatory"


class Verdict(Protocol):
    """One gate: a metric of the version that runs and of the new one."""

    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def before(self) -> object: ...  # noqa: D102
    @property
    def after(self) -> object: ...  # noqa: D102
    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102


class Facts(Protocol):
    """What the registries say of a version."""

    @property
    def digest(self) -> str | None: ...  # noqa: D102
    @property
    def run(self) -> str | None: ...  # noqa: D102
    @property
    def metrics_before(self) -> Mapping[str, object]: ...  # noqa: D102
    @property
    def metrics_after(self) -> Mapping[str, object]: ...  # noqa: D102
    @property
    def verdicts(self) -> Sequence[Verdict]: ...  # noqa: D102
    @property
    def problems(self) -> Sequence[object]: ...  # noqa: D102


class Violation(Protocol):
    """One object that a policy does not allow."""

    @property
    def policy(self) -> str: ...  # noqa: D102
    @property
    def object(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def fix(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102


def release_facts(model: ModelSettings, stack: StackSettings, running_version: str | None) -> Facts | None:
    """What the registries say of the version a stage is to run; None where nothing is asked.

    Args:
        model: The model as the stage is to run it.
        stack: The stage.
        running_version: What the stage runs now; None for a new model.
    """
    return None


def violations(project: Path, stage: str, manifests: Sequence[dict[str, Any]]) -> Sequence[Violation]:
    """What the policies find in a stage's manifests, mandatory first."""
    return ()
