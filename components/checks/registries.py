"""Refuses settings about registries that do not fit together."""

from collections.abc import Mapping

from components.files.problems import Problem
from components.files.yaml_document import KeyPath, Origin
from components.loading.validation import problem_at
from components.settings.stack import PROJECT, StackSettings


def registry_problems(
    settings: StackSettings, origins: Mapping[str, Mapping[KeyPath, Origin]], file: str
) -> list[Problem]:
    """Models without the digest that the stage requires, and registered models of a stage without a registry.

    Args:
        settings: The stage.
        origins: The origins of each model's values.
        file: The stage's file.
    """
    problems = []
    for model in settings.models:
        prefix: KeyPath = ("config", f"{PROJECT}:models", model.name)
        found = origins[model.name]
        if settings.require_digest and model.digest is None:
            problems.append(
                problem_at(
                    ("digest",),
                    f"is missing, and {settings.stage} requires one",
                    'add digest: "sha256:..."; `delivery check --registry` shows the one of the version',
                    origins=found,
                    file=file,
                    prefix=prefix,
                    written=False,
                )
            )
        if model.registered_model is not None and settings.model_registry is None:
            problems.append(
                problem_at(
                    ("registeredModel",),
                    f"needs a model registry, and {settings.stage} names none",
                    f"add {PROJECT}:modelRegistry: {{mlflow: https://...}} to {file}, "
                    "or registeredModel: null and gate: null to the model's entry there",
                    origins=found,
                    file=file,
                    prefix=prefix,
                    written=False,
                )
            )
    return problems
