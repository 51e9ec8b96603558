"""Validates every stage and every model file of a project, and the monitoring generated from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.checks.model_files import model_file_problems
from components.checks.overlooked import overlooked_problems
from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.loading.feature_definitions import FILE, FOLDER, load_definitions
from components.loading.stack_files import LoadedStack
from components.monitoring.recording_rules import Rule
from components.settings.stack import PROJECT, StackSettings
from components.stack import load_stack
from delivery.checking.monitoring import (
    coverage_notes,
    feature_rules,
    model_rules,
    monitoring_problems,
)
from delivery.checking.serving import serving_notes

# What `make features` installs, so that the plan of a review is made with it.
_REQUIREMENTS = f"{FOLDER}/requirements.txt"
_FEAST = re.compile(r"^feast(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found.

    Attributes:
        stages: The stages that are valid.
        problems: Every problem of all files.
        feast: The version of Feast in features/requirements.txt; None where there is none.
    """

    stages: tuple[LoadedStack, ...]
    problems: tuple[Problem, ...]
    feast: str | None = None

    def rows(self) -> list[tuple[str, ...]]:
        """Stage, namespace, name, version, replicas, rules and alerts of each model and each feature store."""
        found: list[tuple[str, ...]] = []
        for settings in (loaded.settings for loaded in self.stages):
            for model in settings.models:
                texts = (settings.namespace_of(model), model.name, model.version, str(model.replicas))
                found.append(_row(settings, model_rules(StagedModel(model, settings)), *texts))
            if (store := settings.feature_store) is not None:
                texts = (settings.namespace, "the feature store", store.version, str(store.replicas))
                found.append(_row(settings, feature_rules(settings), *texts))
        return found

    def notes(self) -> list[str]:
        """What is not a problem but easily overlooked, a line each: what is unwatched or easily overlooked."""
        stages = [loaded.settings for loaded in self.stages]
        return [
            *(note for settings in stages for note in coverage_notes(settings)),
            *(note for settings in stages for note in serving_notes(settings)),
            *(note for settings in stages for note in _other_feast(settings, self.feast)),
        ]


def _other_feast(stack: StackSettings, planned: str | None) -> Iterator[str]:
    store = stack.feature_store
    if store is not None and planned is not None and store.version != planned:
        yield (
            f"{stack.stage}: the feature store runs Feast {store.version}, and {_REQUIREMENTS} has {planned}: "
            f"the plan of a review is made with {planned}"
        )
    written = stack.definitions.feast
    if written is not None and planned is not None and written != planned:
        stale = f"{stack.stage}: {FILE} was written by Feast {written}, and {_REQUIREMENTS} has {planned}"
        yield str(Problem(stale, "`make features`"))


def _feast(sources: Sources, problems: list[Problem]) -> str | None:
    if not sources.has(_REQUIREMENTS):
        return None
    try:
        found = _FEAST.search(sources.read(_REQUIREMENTS).decode("utf-8", "replace"))
    except SettingsError as error:
        problems += error.problems
        return None
    return found[1] if found else None


def _row(stack: StackSettings, rules: list[Rule], *texts: str) -> tuple[str, ...]:
    alerts = sum("alert" in rule for rule in rules)
    return (stack.stage, *texts, str(len(rules)), str(alerts))


def check(project: Path) -> Report:
    """Check a project's stack files and model files, whether or not a stage names them."""
    sources = Sources.of(project)
    good: list[LoadedStack] = []
    # Two files may have the same problem; each problem is reported once.
    problems: list[Problem] = [
        *overlooked_problems(sources),
        *model_file_problems(sources),
        *load_definitions(sources)[1],
    ]
    names = sources.stages
    if not names:
        problems.append(
            Problem(
                file="Pulumi.<stage>.yaml",
                reason=f"no stack file in {project}",
                fix="name the project with --project DIR",
            )
        )
    for stage in names:
        try:
            good.append(load_stack(sources, stage))
        except SettingsError as error:
            problems += error.problems
        else:
            problems += monitoring_problems(project, good[-1].settings)
    problems += _shared_namespaces(good)
    feast = _feast(sources, problems)
    return Report(stages=tuple(good), problems=SettingsError(problems).problems, feast=feast)


def _shared_namespaces(loaded: list[LoadedStack]) -> list[Problem]:
    """Two stages of one cluster that would both create, change and remove the same namespace.

    Stages that name no cluster are assumed to be in the same one.
    """
    owners: dict[tuple[str | None, str], str] = {}
    found = []
    for settings in (each.settings for each in loaded):
        for field, namespace in settings.owned_namespaces.items():
            owner = owners.setdefault((settings.kube_context, namespace), settings.stage)
            if owner == settings.stage:
                continue
            found.append(
                Problem(
                    file=f"Pulumi.{settings.stage}.yaml",
                    field=f"config.{PROJECT}:{field}",
                    value=namespace,
                    reason=f"belongs to the stage {owner}, whose removal would remove it",
                    fix="give each stage its own, or name different clusters with kubeContext",
                )
            )
    return found
