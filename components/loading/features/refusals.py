"""What Feast refuses of a view when it makes or applies it, as far as its syntax tells. Pure functions."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from components.loading.features.modules import DECORATORS, VIEWS, Definition, resolved
from components.loading.features.syntax import DefinitionError, argument, given, missing
from components.loading.features.types import VALUE_TYPES
from components.settings.feature_definitions import EntityDefinition

_VERSION = re.compile(r"latest|v(ersion)?\d+", re.IGNORECASE)
# What each kind of view cannot do without: one of these.
_NEEDED = {
    "BatchFeatureView": ("source", "udf", "feature_transformation", "aggregations"),
    "StreamFeatureView": ("source",),
    "OnDemandFeatureView": ("sources", "input_schema"),
    "on_demand_feature_view": ("sources", "input_schema"),
    "stream_feature_view": ("source",),
}
_BATCH_SOURCES = frozenset({"FileSource", "BigQuerySource", "RedshiftSource", "SnowflakeSource"})
_STREAM_SOURCES = frozenset({"PushSource", "KafkaSource", "KinesisSource"})
_WRONG_SOURCES = {
    "StreamFeatureView": (_BATCH_SOURCES, "a stream source", "a PushSource or KafkaSource"),
    "stream_feature_view": (_BATCH_SOURCES, "a stream source", "a PushSource or KafkaSource"),
    "BatchFeatureView": (
        _STREAM_SOURCES,
        "a batch source",
        "its batch_source",
    ),
}


def refused(
    definition: Definition,
    name: str,
    entities: Sequence[EntityDefinition],
    fields: Mapping[str, tuple[str, ast.Call]],
    made: Mapping[str, Definition],
) -> Iterator[DefinitionError]:
    """Each thing of a view that Feast refuses.

    Args:
        definition: The view.
        name: Its name; empty where it could not be read.
        entities: Those of its entities that could be read.
        fields: The type of each field of its schema, and the field.
        made: What else is defined, by its dotted name.
    """
    node = definition.node
    for sign in "@:":
        if sign in name:
            where = argument(node, "name") or node
            yield DefinitionError(where, f"has {sign} in its name, which Feast refuses", "leave it out")
    yield from _keys(node, entities, fields)
    vectors = [field for _, field in fields.values() if _is_true(argument(field, "vector_index"))]
    for field in vectors[1:]:
        reason = "is a second vector_index of the view, and Feast takes one only"
        yield DefinitionError(field, reason, "move it to another view")
    version = argument(node, "version")
    if isinstance(version, ast.Constant) and version.value and not _VERSION.fullmatch(str(version.value)):
        yield DefinitionError(version, "is no version of a view", 'write "latest" or one like "v2"')
    needed = _NEEDED.get(definition.kind, ())
    if needed and not any(given(node, each) for each in needed):
        reason = f"has no {' or '.join(f'{each}=' for each in needed)}"
        error = missing(node, reason, f"add {needed[0]}=")
        if isinstance(error, DefinitionError):
            yield error
    yield from _source(definition, made)


def _keys(
    node: ast.Call, entities: Sequence[EntityDefinition], fields: Mapping[str, tuple[str, ast.Call]]
) -> Iterator[DefinitionError]:
    by_key: dict[str, EntityDefinition] = {}
    for entity in entities:
        first = by_key.setdefault(entity.join_key, entity)
        if first is not entity or entities.count(entity) > 1:
            reason = f"has two entities with the join key {entity.join_key}, which Feast refuses"
            yield DefinitionError(argument(node, "entities") or node, reason, "leave one out")
            return
    for key, entity in by_key.items():
        expected = VALUE_TYPES[entity.value_type] if entity.value_type else None
        if key in fields and expected is not None and fields[key][0] != expected:
            reason = (
                f"{key} is {fields[key][0]}, and the entity {entity.name} in {entity.file}:{entity.line} says "
                f"{entity.value_type}"
            )
            yield DefinitionError(
                fields[key][1], reason, f"write dtype={expected}, or another value_type there"
            )


def _source(definition: Definition, made: Mapping[str, Definition]) -> Iterator[DefinitionError]:
    source = argument(definition.node, "source")
    if source is None:
        return
    origin = made.get(resolved(definition.module, source))
    if origin is None:
        return
    kind = origin.kind
    wrong, expected, fix = _WRONG_SOURCES.get(definition.kind, (frozenset(), "", ""))
    if kind in wrong:
        reason = f"is a {kind}, and a {definition.made_by} needs {expected}"
        yield DefinitionError(source, reason, f"name {fix}, or make it a FeatureView")
    if kind in _STREAM_SOURCES and not given(origin.node, "batch_source"):
        reason = f"is a {kind} without batch_source=, and Feast refuses a view of it"
        yield DefinitionError(source, reason, "add batch_source= to it, with where older values are")
    if (kind in VIEWS or kind in DECORATORS) and not given(definition.node, "sink_source"):
        reason = "is a view, and Feast refuses a view of a view without sink_source="
        yield DefinitionError(source, reason, "add sink_source= with where its values are kept")


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
