"""Reads a stack: its file and the model files, merged and validated, each separately.

The stack's file itself is read, not the engine's copy of it: the Pulumi engine reads `1.10` as 1.1 and has no line
numbers.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from components.errors import Problem
from components.files.sources import Sources
from components.files.yaml_document import Document, KeyPath, Origin, read_document
from components.loading.feature_definitions import load_definitions
from components.loading.model_files import LoadedModel, definition_files, load_model, unquoted
from components.loading.validation import validated
from components.settings.feature_definitions import FeatureDefinitions
from components.settings.model import ModelSettings
from components.settings.stack import PROJECT, StackConfig, StackSettings

_ENGINE_KEYS = {"config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"}


@dataclass(frozen=True, kw_only=True)
class LoadedStack:
    """A stage's settings, and where each value of a file came from.

    Attributes:
        settings: The stage, with its valid models.
        written: What the stack file says under `ml-deployments:`, before the models are merged with their files.
        stage_origins: The origin of each value in the stack file, by path.
        origins: The origin of each value of a model, by model and path.
        definitions_known: False where `features/` has problems, so that what it defines is not known.
    """

    settings: StackSettings
    written: Mapping[str, Any]
    stage_origins: Mapping[KeyPath, Origin]
    origins: Mapping[str, Mapping[KeyPath, Origin]]
    definitions_known: bool = True

    @property
    def file(self) -> str:
        """The stage's file."""
        return stack_file(self.settings.stage)


@dataclass(frozen=True, kw_only=True)
class ReadStack:
    """What the files of a stage say, as far as they are valid.

    Attributes:
        loaded: The stage with its valid models; None where the stage's own settings are not valid.
        models: The valid models.
        problems: What is wrong with each of the files.
    """

    loaded: LoadedStack | None
    models: tuple[LoadedModel, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class _Written:
    """The `ml-deployments:` keys of a stack file without their prefix, with their origins."""

    document: Document
    data: dict[str, Any]
    origins: dict[KeyPath, Origin]


def read_stack(sources: Sources, stage: str) -> ReadStack:
    """Read, merge and validate a stage's stack file and the files of its models.

    Raises:
        SettingsError: the stack file cannot be read.
    """
    file = stack_file(stage)
    written = _written(read_document(sources, file))
    config, problems = _config(written)
    models, origins, found = _models(sources, written)
    problems += found
    features, undefined = _definitions(sources, written)
    # A version that is not a text is reported once.
    reported = {(problem.file, problem.field) for problem in problems}
    problems += [problem for problem in undefined if (problem.file, problem.field) not in reported]
    loaded = None
    if config is not None:
        loaded = LoadedStack(
            settings=_settings(config, stage, models, features),
            written=written.data,
            stage_origins=written.origins,
            origins=origins,
            definitions_known=not undefined,
        )
    return ReadStack(
        loaded=loaded,
        models=tuple(
            LoadedModel(settings=model, origins=origins[model.name], file=file, prefix=model_path(model.name))
            for model in models
        ),
        problems=tuple(problems),
    )


def stack_file(stage: str) -> str:
    """A stage's file."""
    return f"Pulumi.{stage}.yaml"


def model_path(model: str) -> KeyPath:
    """Where a model's entry is in a stack file."""
    return "config", f"{PROJECT}:models", model


def _config(written: _Written) -> tuple[StackConfig | None, list[Problem]]:
    """The stage's own settings."""
    config, found = validated(StackConfig, written.data, origins=written.origins, file=written.document.file)
    problems = [replace(p, field=f"config.{PROJECT}:{p.field}") for p in found]
    return config, problems + _unknown_top_level(written.document)


def _models(
    sources: Sources, written: _Written
) -> tuple[tuple[ModelSettings, ...], Mapping[str, Mapping[KeyPath, Origin]], list[Problem]]:
    """The valid models, each entry merged with its file, the origins of all, and what is wrong with them."""
    problems: list[Problem] = []
    files = definition_files(sources, problems)
    models: list[ModelSettings] = []
    origins: dict[str, Mapping[KeyPath, Origin]] = {}
    entries, entry_origins = written.data.get("models"), _by_model(written.origins)
    for name, entry in sorted(entries.items() if isinstance(entries, dict) else ()):
        if not isinstance(entry, dict):
            continue
        overlay = Document(file=written.document.file, data=entry, origins=entry_origins[name])
        model, origins[name], found = load_model(sources, name, files.get(name), overlay, model_path(name))
        problems += found
        models += [] if model is None else [model]
    return tuple(models), origins, problems


def _settings(
    config: StackConfig, stage: str, models: tuple[ModelSettings, ...], features: FeatureDefinitions
) -> StackSettings:
    """The stage with its valid models, so that contradictions are reported together with the rest."""
    return StackSettings.model_validate(
        {**dict(config), "stage": stage, "models": models, "definitions": features},
        by_alias=False,
        by_name=True,
    )


def _definitions(sources: Sources, written: _Written) -> tuple[FeatureDefinitions, list[Problem]]:
    """What `features/` defines, for a stage with a feature store, and what is wrong with both."""
    store = written.data.get("featureStore")
    if not isinstance(store, dict):
        return FeatureDefinitions(), []
    below = {path[1:]: origin for path, origin in written.origins.items() if path[0] == "featureStore"}
    overlay = Document(file=written.document.file, data=store, origins=below)
    features, problems = load_definitions(sources)
    return features, [*problems, *unquoted(overlay, ("config", f"{PROJECT}:featureStore"))]


def _written(document: Document) -> _Written:
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
    return _Written(document=document, data=data, origins=origins)


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
