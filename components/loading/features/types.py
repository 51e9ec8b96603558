"""Feast's types, read from syntax: those of features (feast.types) and those of entities (ValueType).

tests/integration/test_feature_definitions.py compares what is known here with the Feast that is installed.
"""

import ast
import re

from components.loading.features.modules import Module, resolved
from components.loading.features.syntax import DefinitionError, argument

TYPES = frozenset(
    {
        *(
            "Invalid",
            "Bytes",
            "PdfBytes",
            "ImageBytes",
            "String",
            "Bool",
            "Int32",
            "Int64",
            "Float32",
            "Float64",
        ),
        *("UnixTimestamp", "Map", "Json", "Uuid", "TimeUuid", "Decimal", "ScalarMap", "ZonedTimestamp"),
    }
)
# What the online store has a type for, as a list or as a set.
_NOT_IN_ARRAY = frozenset({"Invalid", "PdfBytes", "ImageBytes", "ScalarMap", "ZonedTimestamp"})
_NOT_IN_SET = _NOT_IN_ARRAY | {"Map", "Json"}
# What Feast refuses at any depth; the others only outermost.
_NEVER_IN = {"Array": {"ScalarMap", "ZonedTimestamp"}, "Set": {"ScalarMap", "ZonedTimestamp", "Map"}}
_FIX = "write one of feast.types out, such as Int64, Float64, String, Bool or Array(Float32)"


def _constant(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


_BY_CONSTANT = {_constant(name): name for name in TYPES}
_VALUE_NAMES = {
    **{_constant(name): name for name in TYPES - {"Invalid", "Float32", "Float64"}},
    "FLOAT": "Float32",
    "DOUBLE": "Float64",
}
# The type of the column that an entity of each ValueType has; None where Feast compares nothing.
VALUE_TYPES: dict[str, str | None] = {
    **_VALUE_NAMES,
    **{f"{key}_LIST": f"Array({name})" for key, name in _VALUE_NAMES.items() if name not in _NOT_IN_ARRAY},
    **{f"{key}_SET": f"Set({name})" for key, name in _VALUE_NAMES.items() if name not in _NOT_IN_SET},
    **dict.fromkeys(("UNKNOWN", "NULL", "STRUCT", "STRUCT_LIST", "VALUE_LIST", "VALUE_SET")),
}


def value_type(module: Module, node: ast.expr) -> str:
    """The name of an entity's ValueType."""
    found = resolved(module, node)
    owner, _, name = found.rpartition(".")
    if owner.startswith("feast.") and owner.endswith(".ValueType") and name in VALUE_TYPES:
        return name
    raise DefinitionError(
        node, "is no ValueType of Feast", "write it like ValueType.STRING or ValueType.INT64"
    )


def feature_type(module: Module, node: ast.expr, outer: str = "") -> str:
    """The type of a feature, as feast.types names it.

    Args:
        module: Where it is written.
        node: The type.
        outer: Array or Set, for a type inside one.
    """
    found = resolved(module, node.func if isinstance(node, ast.Call) else node)
    name = found.removeprefix("feast.types.")
    if isinstance(node, ast.Call):
        if found == "feast.types.Struct":
            return _struct(node, outer)
        if found in {"feast.types.Array", "feast.types.Set"}:
            return _collection(module, node, name, outer)
    elif found.startswith("feast.types."):
        name = _BY_CONSTANT.get(name.removeprefix("PrimitiveFeastType."), name)
        if name in TYPES:
            return name
    raise DefinitionError(node, "is no type of feast.types", _FIX)


def _struct(node: ast.Call, outer: str) -> str:
    fields = node.args[0] if node.args else argument(node, "fields")
    if isinstance(fields, ast.Dict) and not fields.keys:
        raise DefinitionError(node, "has no field, and Feast refuses an empty Struct", "name its fields")
    if outer == "Set":
        raise DefinitionError(node, "is in a Set, which Feast refuses", "write Array(Struct(...))")
    return f"Struct({'' if fields is None else ast.unparse(fields)})"


def _collection(module: Module, node: ast.Call, kind: str, outer: str) -> str:
    base = node.args[0] if node.args else argument(node, "base_type")
    if base is None:
        raise DefinitionError(node, "has no type of its items", f"write it like {kind}(Int64)")
    inner = feature_type(module, base, kind)
    refused = _NEVER_IN[kind] if outer else (_NOT_IN_ARRAY if kind == "Array" else _NOT_IN_SET)
    if inner in refused:
        raise DefinitionError(base, f"cannot be in a feature's {kind}; Feast refuses it", "take another type")
    return f"{kind}({inner})"
