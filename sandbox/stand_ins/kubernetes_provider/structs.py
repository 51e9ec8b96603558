"""Protobuf structs as plain data and back; whole numbers are integers, as Kubernetes wants them."""

from typing import Any

from google.protobuf import struct_pb2

# What the engine sends in a preview for a value that is not known yet (the SDK's `UNKNOWN`).
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A struct as a dict."""
    return {key: _value(value) for key, value in struct.fields.items()}


def to_struct(data: dict[str, Any]) -> struct_pb2.Struct:
    """A dict as a struct."""
    struct = struct_pb2.Struct()
    struct.update(data)
    return struct


def has_unknown(data: Any) -> bool:
    """True when a preview does not know a value in the data yet."""
    if isinstance(data, dict):
        return any(has_unknown(value) for value in data.values())
    if isinstance(data, list):
        return any(has_unknown(item) for item in data)
    return bool(data == UNKNOWN)


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "null_value" or kind is None:
        return None
    plain = getattr(value, kind)
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain
