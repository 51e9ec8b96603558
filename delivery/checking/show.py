"""Prints a stage's effective configuration with the place each value came from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.files.yaml_document import KeyPath, Origin
from components.loading.stack_files import LoadedStack
from components.runtimes.table import runtime_values
from components.settings.model import ModelSettings

DEFAULT = "default"


def stage_lines(loaded: LoadedStack, model_name: str | None) -> list[str]:
    """The configuration as YAML, each value with its source as a comment.

    Args:
        loaded: The stack with the origins of its values.
        model_name: Only this model; None for all of them and the stage's own settings.
    """
    settings = loaded.settings
    rows: list[tuple[str, str]] = []
    if model_name is None:
        own = settings.model_dump(mode="json", by_alias=True, exclude={"models", "stage", "definitions"})
        file = f"Pulumi.{settings.stage}.yaml"
        rows += _rows(own, 0, (), loaded.stage_origins, {})
        rows.append(("models:", file))
    for model in settings.models:
        if model_name in {None, model.name}:
            rows.append((f"  {model.name}:", ""))
            rows += _model_rows(model, loaded.origins[model.name])
    width = max(len(text) for text, _ in rows) + 2
    return [f"{text:<{width}}# {source}" if source else text for text, source in rows]


def _model_rows(model: ModelSettings, origins: Mapping[KeyPath, Origin]) -> list[tuple[str, str]]:
    data = model.model_dump(mode="json", by_alias=True, exclude={"name"})
    runtime = dict.fromkeys(runtime_values(model.runtime), f"runtime {model.runtime.value}")
    return list(_rows(data, 2, (), origins, runtime))


def _rows(
    data: dict[str, Any],
    depth: int,
    path: KeyPath,
    origins: Mapping[KeyPath, Origin],
    runtime: Mapping[tuple[str, ...], str],
) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    for key, value in data.items():
        here = (*path, key)
        if value is None:
            continue
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:", ""
            yield from _rows(value, depth + 1, here, origins, runtime)
            continue
        text = json.dumps(value, ensure_ascii=False)
        yield f"{indent}{key}: {text}", _source(here, origins, runtime)


def _source(path: KeyPath, origins: Mapping[KeyPath, Origin], runtime: Mapping[tuple[str, ...], str]) -> str:
    # A text in `env` is stored one level deeper than it is written.
    for written in (path, path[:-1] if path[-1] == "value" else path):
        if (origin := origins.get(written)) is not None:
            return f"{origin.file}:{origin.line}"
    return next((source for known, source in runtime.items() if known == path), DEFAULT)
