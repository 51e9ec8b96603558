"""JSON schemas of the files people edit, generated from the settings, so that editors complete and check them."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from components.files.writing import write_file
from components.settings.model import ModelDefinition, ModelSettings
from components.settings.stack import PROJECT, StackConfig
from delivery.schema.reference import settings_reference

_DIALECT = GenerateJsonSchema.schema_dialect
# The runtime provides these, so the files may omit them.
_FROM_RUNTIME = {"port", "probes", "path", "liveness", "readiness", "startup", "metrics"}
_OVERLAY_REQUIRED = ["replicas", "version"]


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by file name."""
    return {"model.schema.json": model_schema(), "stack.schema.json": stack_schema()}


def model_schema() -> dict[str, Any]:
    """The schema of `models/<model>.yaml`."""
    schema = ModelDefinition.model_json_schema()
    for part in (schema, *(schema["$defs"][name] for name in ("Metrics", "Probe", "Probes", "StartupProbe"))):
        part["required"] = sorted(set(part.get("required", ())) - _FROM_RUNTIME)
    return {"$schema": _DIALECT, **_with_env_text(schema)}


def stack_schema() -> dict[str, Any]:
    """The schema of `Pulumi.<stage>.yaml`: each model's entry may override any field of its file."""
    entry = ModelSettings.model_json_schema()
    definitions = entry.pop("$defs")
    for part in definitions.values():
        part.pop("required", None)
        # null removes what the model file sets.
        _nullable(part)
    entry["properties"].pop("name")
    _nullable(entry, but=_OVERLAY_REQUIRED)
    entry["required"] = _OVERLAY_REQUIRED
    config = StackConfig.model_json_schema()
    # A model's entry may be partial, since its file completes it; so where both define a name, the lenient one is used.
    definitions = {**config.pop("$defs", {}), **definitions}
    definitions["ModelEntry"] = entry
    config["properties"]["models"] = {
        "type": "object",
        "description": "The models of the stage by name; each has a file in models/.",
        "additionalProperties": {"$ref": "#/$defs/ModelEntry"},
    }
    properties = {f"{PROJECT}:{name}": value for name, value in config["properties"].items()}
    schema = {
        "$schema": _DIALECT,
        "title": "Stack",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": properties,
                "patternProperties": {"^pulumi:": {}},
                "additionalProperties": False,
                "required": [f"{PROJECT}:{name}" for name in config["required"]],
            },
            **{key: {"type": "string"} for key in ("encryptionsalt", "encryptedkey", "secretsprovider")},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": definitions,
    }
    return _with_env_text(schema)


def generated() -> dict[str, str]:
    """The committed files that are generated from the settings, by name: the schemas and the reference."""
    texts = {name: dump(schema) for name, schema in schemas().items()}
    return {**texts, "settings.md": settings_reference()}


def write_generated(output: Path) -> list[Path]:
    """Write the generated files into a folder; returns their paths."""
    output.mkdir(parents=True, exist_ok=True)
    return [write_file(output, name, text) for name, text in generated().items()]


def dump(schema: dict[str, Any]) -> str:
    """A schema as the committed text."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _nullable(part: dict[str, Any], but: list[str] | None = None) -> None:
    for name, value in part.get("properties", {}).items():
        if isinstance(value.get("additionalProperties"), dict):
            value["additionalProperties"] = _or_null(value["additionalProperties"])
        if name not in (but or ()):
            part["properties"][name] = _or_null(value)


def _or_null(value: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [value, {"type": "null"}]}


def _with_env_text(schema: dict[str, Any]) -> dict[str, Any]:
    """An environment variable may be a plain string."""
    definitions = schema["$defs"]
    definitions["EnvObject"] = definitions["EnvValue"]
    definitions["EnvValue"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/EnvObject"}]}
    return schema
