"""Reads a stack: its file and the model files, merged and validated.

The only reader of the stack files and of `pulumi.Config`; components/loading/model_files.py reads `models/`. The
stack's file itself is read, not only what the Pulumi engine makes of it: the engine keeps `1.10` as 1.1 and knows no
line numbers. What the engine was given must be the same, so that nothing but the committed file decides what is
deployed.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi

from components.checks.features import feature_problems
from components.checks.registries import registry_problems
from components.feature_store.backfill import backfill_problems
from components.files.problems import Problem, SettingsError
from components.files.yaml_document import Document, KeyPath, Origin, read_document
from components.loading.feature_definitions import load_definitions
from components.loading.model_files import definition_files, load_model, unquoted
from components.loading.validation import validated
from components.serving.monitoring import SIZE_LIMITS, rules_size
from components.settings.feature_definitions import FeatureDefinitions
from components.settings.model import ModelSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import PROJECT, StackConfig, StackSettings

STAGE_FILE = re.compile(r"Pulumi\.([a-z0-9][-a-z0-9_]*)\.yaml")
_ENGINE_KEYS = {"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"}


@dataclass(frozen=True, kw_only=True)
class LoadedStack:
    """A stack's settings, and the origin of each value a file gives: the stage's own by path, each model's by path.

    `written` is what the stack file says under `ml-deployments:`, before the models are laid over their files.
    """

    settings: StackSettings
    written: Mapping[str, Any]
    stage_origins: Mapping[KeyPath, Origin]
    origins: Mapping[str, Mapping[KeyPath, Origin]]


def stages(project: Path) -> tuple[str, ...]:
    """The stages that have a stack file in the project, by name."""
    found = (STAGE_FILE.fullmatch(path.name) for path in project.glob("Pulumi.*.yaml"))
    return tuple(sorted(match[1] for match in found if match))


def load_program_stack(project: Path) -> StackSettings:
    """The settings of the stack that Pulumi runs, from the files in its project directory.

    Raises:
        pulumi.RunError: the files have problems; the message lists all of them.
    """
    stage = pulumi.get_stack()
    try:
        loaded = load_stack(project, stage)
        _refuse_other_config(loaded)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    return loaded.settings


def load_stack(project: Path, stage: str) -> LoadedStack:
    """Read, merge and validate a stage's stack file and the files of its models.

    Raises:
        SettingsError: lists every problem of all the files.
    """
    file = f"Pulumi.{stage}.yaml"
    document = read_document(project / file, file)
    data, origins = _stack_config(document)
    config, found = validated(StackConfig, data, origins=origins, file=file)
    problems = [replace(p, field=f"config.{PROJECT}:{p.field}") for p in found]
    problems += _unknown_top_level(document)
    definitions = definition_files(project, problems)
    models: list[ModelSettings] = []
    model_origins: dict[str, Mapping[KeyPath, Origin]] = {}
    entries = data.get("models")
    entry_origins = _by_model(origins)
    for name, entry in sorted(entries.items() if isinstance(entries, dict) else ()):
        if not isinstance(entry, dict):
            continue
        overlay = Document(file=file, data=entry, origins=entry_origins[name])
        path: KeyPath = ("config", f"{PROJECT}:models", name)
        model, merged, found = load_model(name, definitions.get(name), overlay, path)
        problems += found
        model_origins[name] = merged
        if model is not None:
            models.append(model)
    features, undefined = _definitions(project, document, data, origins)
    # A version that is no text is told once.
    told = {(problem.file, problem.field) for problem in problems}
    problems += [problem for problem in undefined if (problem.file, problem.field) not in told]
    if config is None:
        raise SettingsError(problems)
    # With the models that are valid, so that what does not fit together is told along with the rest.
    settings = StackSettings.model_validate(
        {**dict(config), "stage": stage, "models": tuple(models), "definitions": features},
        by_alias=False,
        by_name=True,
    )
    problems += _oversized_rules(settings, file) + registry_problems(settings, model_origins, file)
    if not undefined:
        problems += feature_problems(settings, origins, model_origins)
        problems += backfill_problems(settings, origins)
    if problems:
        raise SettingsError(problems)
    return LoadedStack(settings=settings, written=data, stage_origins=origins, origins=model_origins)


def _definitions(
    project: Path, document: Document, data: Mapping[str, Any], origins: Mapping[KeyPath, Origin]
) -> tuple[FeatureDefinitions, list[Problem]]:
    """What `features/` defines, for a stage with a feature store, and what is wrong with both."""
    written = data.get("featureStore")
    if not isinstance(written, dict):
        return FeatureDefinitions(), []
    below = {path[1:]: origin for path, origin in origins.items() if path[0] == "featureStore"}
    overlay = Document(file=document.file, data=written, origins=below)
    features, problems = load_definitions(project)
    return features, [*problems, *unquoted(overlay, ("config", f"{PROJECT}:featureStore"))]


def _oversized_rules(settings: StackSettings, file: str) -> list[Problem]:
    limit = SIZE_LIMITS.get(settings.monitoring.delivery)
    if limit is None:
        return []
    return [
        Problem(
            file=file,
            field=f"config.{PROJECT}:models.{model.name}",
            reason=f"its rules take {size // 1024} KiB, more than the {limit // 1024} KiB that one "
            f"{'PrometheusRule' if settings.monitoring.delivery is MonitoringDelivery.OPERATOR else 'ConfigMap'} holds",
            fix="name fewer gauges under quality, or split the model in two",
        )
        for model in settings.models
        if (size := rules_size(model, settings)) > limit
    ]


def _stack_config(document: Document) -> tuple[dict[str, Any], dict[KeyPath, Origin]]:
    """The `ml-deployments:` keys of a stack file without their prefix, with their origins."""
    config = document.data.get("config")
    data: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    if isinstance(config, dict):
        for key, value in config.items():
            namespace, _, name = key.partition(":")
            if namespace == PROJECT:
                data[name] = value
    for path, origin in document.origins.items():
        if path[0] == "config" and len(path) > 1:
            namespace, _, name = str(path[1]).partition(":")
            if namespace == PROJECT:
                origins[(name, *path[2:])] = origin
    return data, origins


def _unknown_top_level(document: Document) -> list[Problem]:
    config = document.data.get("config")
    problems = [
        Problem(
            file=document.file,
            line=document.origins[(key,)].line,
            field=key,
            reason="unknown key",
            fix=f"move it below config:, or remove it; valid keys are {', '.join(sorted(_ENGINE_KEYS))}",
        )
        for key in document.data
        if key not in _ENGINE_KEYS
    ]
    for key in config if isinstance(config, dict) else ():
        namespace = key.partition(":")[0]
        if namespace in {PROJECT, "pulumi"}:
            continue
        fix = (
            f"use {PROJECT}:kubeContext; the program does not use the default Kubernetes provider"
            if namespace == "kubernetes"
            else f"write it as {PROJECT}:{key}, or remove it"
        )
        line = document.origins[("config", key)].line
        problems.append(
            Problem(file=document.file, line=line, field=f"config.{key}", reason="unknown key", fix=fix)
        )
    return problems


def _by_model(origins: Mapping[KeyPath, Origin]) -> dict[str, dict[KeyPath, Origin]]:
    """The origins of each model's entry in a stack file, by the path inside the entry."""
    found: dict[str, dict[KeyPath, Origin]] = defaultdict(dict)
    for path, origin in origins.items():
        if len(path) > 1 and path[0] == "models":
            found[str(path[1])][path[2:]] = origin
    return found


def _refuse_other_config(loaded: LoadedStack) -> None:
    """What the engine passed must be what the committed file says, whatever flags or environments there are."""
    config = pulumi.Config(PROJECT)
    problems = []
    for name in sorted(info.alias or name for name, info in StackConfig.model_fields.items()):
        written, given = loaded.written.get(name), config.get(name)
        if not isinstance(written, str | None):
            given = config.get_object(name)
        if written != given:
            origin = loaded.stage_origins.get((name,))
            problems.append(
                Problem(
                    file=f"Pulumi.{loaded.settings.stage}.yaml",
                    line=origin.line if origin else None,
                    field=f"config.{PROJECT}:{name}",
                    reason="Pulumi was given another value than the file holds",
                    fix="commit the value to the file; --config-file and environments are not supported",
                )
            )
    if problems:
        raise SettingsError(problems)
