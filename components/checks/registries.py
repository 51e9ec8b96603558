"""Refuses settings about registries that contradict each other."""

from components.errors import Problem
from components.loading.stack_files import LoadedStack, model_path
from components.loading.validation import problem_at
from components.settings.stack import PROJECT


def registry_problems(loaded: LoadedStack) -> list[Problem]:
    """Models without the digest that the stage requires, and registered models of a stage without a registry."""
    settings, file = loaded.settings, loaded.file
    problems = []
    for model in settings.models:
        prefix, found = model_path(model.name), loaded.origins[model.name]
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
