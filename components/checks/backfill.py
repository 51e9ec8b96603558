"""Refuses a backfill of what is not materialised."""

from dataclasses import replace

from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.stack_files import LoadedStack
from components.loading.validation import problem_at
from components.settings.stack import PROJECT

_PATH: KeyPath = ("featureStore", "materialization", "backfill", "views")


def backfill_problems(loaded: LoadedStack) -> list[Problem]:
    """Every view of the backfill that is not materialised."""
    store, materialized = loaded.settings.feature_store, loaded.settings.definitions.materialized
    backfill = None if store is None else store.materialization.backfill
    if backfill is None or not loaded.definitions_known:
        return []
    problems = [
        problem_at(
            (*_PATH, index),
            "is no view that is materialised",
            f"name one of {', '.join(materialized) or 'none'}",
            origins=loaded.stage_origins,
            file=loaded.file,
        )
        for index, view in enumerate(backfill.views or ())
        if view not in materialized
    ]
    return [replace(problem, field=f"config.{PROJECT}:{problem.field}") for problem in problems]
