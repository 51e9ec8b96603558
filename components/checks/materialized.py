"""Refuses a view that the stage's feature store does not materialise, wherever the stack file names one."""

from dataclasses import replace

from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.stack_files import LoadedStack
from components.loading.validation import problem_at
from components.settings.stack import PROJECT


def not_materialized(loaded: LoadedStack, path: KeyPath) -> Problem:
    """The problem of a view at a path below `ml-deployments:`."""
    materialized = loaded.settings.definitions.materialized
    problem = problem_at(
        path,
        "is not a view that is materialised",
        f"name one of {', '.join(materialized) or 'none'}",
        origins=loaded.stage_origins,
        file=loaded.file,
    )
    return replace(problem, field=f"config.{PROJECT}:{problem.field}")
