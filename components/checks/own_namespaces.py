"""Refuses a model's own namespace that cannot be one, or that another part of the stage has."""

from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.stack_files import LoadedStack, model_path
from components.loading.validation import problem_at
from components.settings.namespaces import reserved

# As for every DNS label: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LONGEST = 63


def own_namespace_problems(loaded: LoadedStack) -> list[Problem]:
    """Own namespaces that are too long, that belong to others, or that are not the model's alone."""
    settings, problems = loaded.settings, []
    takers = {
        settings.monitoring.namespace: "monitoring.namespace",
        settings.namespace: "the stage's namespace",
    }
    for model, namespace in settings.own_namespaces.items():
        mistake = _mistake(namespace) or (f"is {takers[namespace]}" if namespace in takers else None)
        takers.setdefault(namespace, f"the namespace of {model}")
        if mistake is not None:
            origins = loaded.origins[model]
            written: KeyPath = ("namespace",) if ("namespace",) in origins else ("podSecurity",)
            problems.append(
                problem_at(
                    written,
                    f"puts {model} into the namespace {namespace}, which {mistake}",
                    f"name another one with namespace: in the model's entry in {loaded.file}",
                    origins=origins,
                    file=loaded.file,
                    prefix=model_path(model),
                )
            )
    return problems


def _mistake(namespace: str) -> str | None:
    if len(namespace) > _LONGEST:
        return f"has {len(namespace)} characters, more than {_LONGEST}"
    owner = reserved(namespace)
    return None if owner is None else f"belongs to {owner}"
