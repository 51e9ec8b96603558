"""What both registries say about one model's version in one stage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from components.errors import Problem
from components.kubernetes.staged_model import StagedModel
from components.settings.model import ModelSettings
from delivery.registries.errors import Denied, RegistryError, Unavailable
from delivery.registries.gates import Verdict, judge
from delivery.registries.images import image_digest, needed_platform
from delivery.registries.mlflow_credentials import withheld
from delivery.registries.mlflow_registry import ModelVersion, find_version


@dataclass(frozen=True, kw_only=True)
class VersionProblem:
    """What the registries say against a version.

    Attributes:
        field: The key of the model's entry that it is about.
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        known: The registry answered; false where it could not be asked, and the version may still be good.
    """

    field: str
    reason: str
    fix: str
    known: bool = True

    @property
    def problem(self) -> Problem:
        """The same as a problem that a user reads."""
        return Problem(self.reason, self.fix)

    def __str__(self) -> str:
        """A sentence."""
        return str(self.problem)


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A model's version as the registries know it.

    Attributes:
        digest: The digest of the image's tag now; None when it is not known.
        registered: The registered version; None when the model is in no model registry, or it was not found.
        metrics_before: The metrics of the version that runs now; empty when none runs or it is not registered.
        verdicts: The gate's, by metric; empty without a gate, and where `registered` is missing.
        problems: Everything that is wrong with the version, including a failed gate.
        notes: What could not be compared.
    """

    digest: str | None = None
    registered: ModelVersion | None = None
    metrics_before: Mapping[str, Decimal] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[VersionProblem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def run(self) -> str | None:
        """The run that produced the version."""
        return self.registered.run if self.registered else None

    @property
    def dataset(self) -> str | None:
        """What the run was trained on."""
        return self.registered.dataset if self.registered else None

    @property
    def owner(self) -> str | None:
        """Who is responsible for the version, according to the model registry."""
        return self.registered.owner if self.registered else None

    @property
    def metrics_after(self) -> Mapping[str, Decimal]:
        """The version's own metrics."""
        return self.registered.metrics if self.registered else {}


def release_facts(staged: StagedModel, running_version: str | None, *, image: bool = True) -> ReleaseFacts:
    """Ask the registries about the version a model has in its settings.

    Args:
        staged: The model as it is to run, in its stage.
        running_version: What the stage runs now; None when nothing.
        image: Whether to ask for the image, too.
    """
    problems: list[VersionProblem] = []
    model = staged.model
    digest = _digest(model, problems) if image else None
    registered = _registered(staged, problems)
    before: Mapping[str, Decimal] | None = None
    unknown: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    if registered is not None and model.gate is not None:
        if running_version is not None:
            before, unknown = _running(staged, running_version)
        verdicts = judge(model.gate, registered.metrics, before, unknown)
        problems += _against(model, registered, verdicts)
    return ReleaseFacts(
        digest=digest,
        registered=registered,
        metrics_before=before or {},
        verdicts=verdicts,
        problems=tuple(problems),
        notes=tuple(_notes(staged, registered, unknown)),
    )


def _against(
    model: ModelSettings, registered: ModelVersion, verdicts: Sequence[Verdict]
) -> Iterator[VersionProblem]:
    """What the gate has against the version."""
    for gone in registered.gone:
        yield VersionProblem(
            field="version",
            reason=f"{model.version} cannot pass its gate: version {registered.number} is registered, but {gone}",
            fix="restore it where it was deleted, or train and register the version again",
        )
    for verdict in verdicts:
        if not verdict.passed:
            yield VersionProblem(
                field="version",
                reason=f"{model.version} fails the gate on {verdict.metric} ({verdict.rule}): {verdict.reason}",
                fix="deploy a version that passes, or change gate where reviewers see it",
            )


def _notes(staged: StagedModel, registered: ModelVersion | None, unknown: str | None) -> Iterator[str]:
    registry = staged.stack.model_registry
    if staged.model.registered_model is None or registry is None:
        return
    why = withheld(registry.mlflow)
    if why is not None:
        yield f"{registry.mlflow} was asked without the credentials of the environment: {why}"
    if registered is not None and staged.model.gate is None:
        for gone in registered.gone:
            yield f"{staged.name}: version {registered.number} is registered, but {gone}"
    if unknown is not None and staged.model.gate is not None and not staged.model.gate.compares:
        yield f"{staged.name}: nothing to compare with: {unknown}"


def _problem(error: RegistryError) -> VersionProblem:
    known = not isinstance(error, Denied | Unavailable)
    return VersionProblem(field="version", reason=error.reason, fix=error.fix, known=known)


def _digest(model: ModelSettings, problems: list[VersionProblem]) -> str | None:
    try:
        digest = image_digest(model.image, model.version, needed_platform(model.node_selector))
    except RegistryError as error:
        problems.append(_problem(error))
        return None
    if model.digest is not None and model.digest != digest:
        problems.append(
            VersionProblem(
                field="digest",
                reason=f"the tag {model.version} has {digest}: it was moved since it was pinned, or another was pinned",
                fix="find out who pushed what; to run what is there now, pin that digest",
            )
        )
    return digest


def _registered(staged: StagedModel, problems: list[VersionProblem]) -> ModelVersion | None:
    model, registry = staged.model, staged.stack.model_registry
    if model.registered_model is None or registry is None:
        return None
    try:
        return find_version(registry.mlflow, model.registered_model, model.version)
    except RegistryError as error:
        problems.append(_problem(error))
        return None


def _running(staged: StagedModel, version: str) -> tuple[Mapping[str, Decimal] | None, str | None]:
    """The metrics to compare with, or why they are not known."""
    registered_model, registry = staged.model.registered_model, staged.stack.model_registry
    if registered_model is None or registry is None:
        return None, f"{version}, which runs, is not registered"
    try:
        found = find_version(registry.mlflow, registered_model, version)
    except RegistryError as error:
        return None, f"{version} runs, and {error.reason}"
    if found.gone:
        return found.metrics, f"{version} runs, and {', '.join(found.gone)}"
    return found.metrics, None
