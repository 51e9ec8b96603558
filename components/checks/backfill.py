"""Refuses a backfill of what is not materialised."""

from components.checks.materialized import not_materialized
from components.errors import Problem
from components.files.yaml_document import KeyPath
from components.loading.stack_files import LoadedStack

_PATH: KeyPath = ("featureStore", "materialization", "backfill", "views")


def backfill_problems(loaded: LoadedStack) -> list[Problem]:
    """Every view of the backfill that is not materialised."""
    store, materialized = loaded.settings.feature_store, loaded.settings.definitions.materialized
    backfill = None if store is None else store.materialization.backfill
    if backfill is None or not loaded.definitions_known:
        return []
    return [
        not_materialized(loaded, (*_PATH, index))
        for index, view in enumerate(backfill.views or ())
        if view not in materialized
    ]
