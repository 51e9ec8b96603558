"""Asks the registries about every model of every stage: `delivery check --registry`."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from components.errors import Problem, UserError
from components.kubernetes.staged_model import StagedModel
from components.loading.stack_files import LoadedStack
from components.loading.validation import problem_at
from components.settings.model import ModelSettings
from components.settings.stack import PROJECT
from delivery.git.repository import Repository
from delivery.history.model_history import History, history
from delivery.registries.facts import ReleaseFacts, VersionProblem, release_facts

AT_ONCE = 8
LONGEST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One model of one stage and what the registries say about its version."""

    stage: str
    model: ModelSettings
    facts: ReleaseFacts

    def row(self) -> tuple[str, ...]:
        """Stage, model, version, digest, registered version with its aliases, metrics, run, dataset, owner."""
        found = self.facts.registered
        digest = self.facts.digest
        number = " ".join((found.number, *found.aliases)) if found else "-"
        metrics = " ".join(f"{name}={value}" for name, value in self.metrics().items()) or "-"
        return (
            self.stage,
            self.model.name,
            self.model.version,
            digest.removeprefix("sha256:")[:12] if digest else "-",
            number,
            metrics,
            (self.facts.run or "-")[:12],
            self.facts.dataset or "-",
            self.facts.owner or "-",
        )

    def metrics(self) -> dict[str, object]:
        """The metrics the gate names, or all where there is no gate."""
        gate = self.model.gate
        return {
            name: value
            for name, value in sorted(self.facts.metrics_after.items())
            if gate is None or name in gate.metrics
        }


def ask(
    project: Path, loaded: Sequence[LoadedStack], seconds: float = LONGEST_SECONDS
) -> tuple[list[Asked], list[Problem], list[str]]:
    """Ask about every model of the stages, several in parallel.

    A metric's drop is measured from the version that the stage's file named before, according to git.

    Args:
        project: The checkout.
        loaded: Its stages.
        seconds: For how long new requests are started; a model that was not checked by then is a problem.

    Returns:
        What was found, what is wrong with it, and notes on what could not be compared.
    """
    past = _past(project)
    notes = [f"No version is compared with the one before it: {past}"] if isinstance(past, Problem) else []
    work = [(stack, model) for stack in loaded for model in stack.settings.models]

    def facts(item: tuple[LoadedStack, ModelSettings]) -> Asked:
        stack, model = item
        stage = stack.settings.stage
        known = past if isinstance(past, History) else None
        before = known.previous_version(stage, model.name, model.version) if known else None
        found = release_facts(StagedModel(model, stack.settings), before)
        if before is None and (unknown := _not_compared(past, stage, model)):
            found = replace(found, problems=(*found.problems, unknown))
        return Asked(stage=stage, model=model, facts=found)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(facts, item) for item in work]
        wait(futures, seconds)
        # Started requests end by their own time limits, so that many models on a silent registry cannot take forever.
        pool.shutdown(cancel_futures=True)
    asked = [_answer(future, *item, seconds) for future, item in zip(futures, work, strict=True)]
    problems = [
        problem_at(
            (found.field,),
            found.reason,
            found.fix,
            origins=stack.origins[model.name],
            file=f"Pulumi.{stack.settings.stage}.yaml",
            prefix=("config", f"{PROJECT}:models", model.name),
        )
        for (stack, model), each in zip(work, asked, strict=True)
        for found in each.facts.problems
    ]
    notes += [f"{each.stage}: {note}" for each in asked for note in each.facts.notes]
    # Two models of a stage share its model registry.
    return asked, problems, list(dict.fromkeys(notes))


def _past(project: Path) -> History | Problem | None:
    """What git knows of former versions, or why it knows nothing; None before the first commit, when there are none."""
    try:
        repository = Repository(project)
        return None if repository.unborn else history(repository)
    except UserError as error:
        return error.problems[0]


def _not_compared(past: History | Problem | None, stage: str, model: ModelSettings) -> VersionProblem | None:
    """Why a gate could not compare a version with the one before it; None where there was none, or no rule asks."""
    if model.gate is None or not model.gate.compares:
        return None
    if isinstance(past, History):
        cut = Problem("this clone is shallow and lacks it", "`git fetch --unshallow`")
        why = cut if past.cut(stage, model.name) else None
    else:
        why = past
    if why is None:
        return None
    return VersionProblem(
        field="gate",
        reason=f"{model.version} cannot be compared with the version before it: {why.reason}",
        fix=why.fix,
        known=False,
    )


def _answer(future: Future[Asked], stack: LoadedStack, model: ModelSettings, seconds: float) -> Asked:
    if not future.cancelled():
        return future.result()
    late = VersionProblem(
        field="version",
        reason=f"{model.version} was not checked: the registries took {seconds:.0f} s for the models before it",
        fix="repair what the other problems name, then run this again",
        known=False,
    )
    return Asked(stage=stack.settings.stage, model=model, facts=ReleaseFacts(problems=(late,)))
