"""The arguments that Feast's classes and decorators take; all by name.

tests/integration/test_feature_definitions.py compares them with the Feast that is installed.
"""

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from components.loading.features.syntax import DefinitionError

_OF_ALL = ("description", "tags", "owner")
_OF_VIEWS = (*_OF_ALL, "name", "entities", "schema", "org", "mode", "version")
_OF_SOURCES = (*_OF_VIEWS, "source", "sink_source", "ttl", "online", "offline", "enable_validation")
_OF_CODE = ("udf", "udf_string", "feature_transformation", "aggregations")
_OF_DEMAND = (
    *(*_OF_VIEWS, "sources", "input_schema", "aggregations"),
    *("write_to_online_store", "singleton", "track_metrics"),
)
_DECORATED = frozenset({"sink_source", *_OF_CODE})
TAKEN: dict[str, frozenset[str]] = {
    "Entity": frozenset({*_OF_ALL, "name", "join_keys", "value_type"}),
    "Field": frozenset(
        {"name", "dtype", "description", "tags", "vector_index", "vector_length", "vector_search_metric"}
    ),
    "FeatureService": frozenset({*_OF_ALL, "name", "features", "logging_config", "precompute_online"}),
    "FeatureView": frozenset({*_OF_SOURCES, "enabled"}),
    "BatchFeatureView": frozenset({*_OF_SOURCES, *_OF_CODE, "batch_engine"}),
    "StreamFeatureView": frozenset(
        {*_OF_SOURCES, *_OF_CODE, "timestamp_field", "stream_engine", "enable_tiling", "tiling_hop_size"}
    ),
    "OnDemandFeatureView": frozenset({*_OF_DEMAND, *_OF_CODE, "enabled"}),
    "on_demand_feature_view": frozenset({*_OF_DEMAND, "explode"}),
    "batch_feature_view": frozenset(_OF_SOURCES) - _DECORATED,
    "stream_feature_view": (frozenset(_OF_SOURCES) - _DECORATED - {"name", "offline"})
    | {"aggregations", "timestamp_field"},
}


def wrong_arguments(node: ast.Call, kind: str) -> Iterator[DefinitionError]:
    """Each argument that Feast refuses, and each that only running the module would tell."""
    taken = TAKEN[kind]
    for value in node.args:
        fix = f"write it as name=...; {kind} takes {', '.join(sorted(taken))}"
        yield DefinitionError(value, f"has no name, and {kind} takes arguments by their names only", fix)
    for keyword in node.keywords:
        if keyword.arg is None:
            reason = "gives several arguments, and only running it would tell which"
            yield DefinitionError(keyword, reason, "write them out")
        elif keyword.arg not in taken:
            close = get_close_matches(keyword.arg, taken, n=1)
            fix = f"write {close[0]}, or remove it" if close else "remove it"
            reason = f"{keyword.arg} is no argument of {kind}"
            yield DefinitionError(keyword, reason, f"{fix}; it takes {', '.join(sorted(taken))}")
