"""The files in `models/`: found, merged with a stack file's entry, and validated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.files.yaml_document import Document, KeyPath, Origin, dotted, read_document
from components.loading.validation import validated
from components.runtimes.table import Runtime, runtime_values
from components.settings.identifiers import DnsLabel
from components.settings.model import PROGRAM_ENV, ModelDefinition, ModelSettings
from components.settings.pod import Settings

# These are in the stack's file only, so that one file says what runs in a stage.
_STAGE_ONLY = ("version", "digest", "replicas", "namespace")
# Null is a value here: it leaves out what the program would set.
_NULL_IS_VALUE: frozenset[KeyPath] = frozenset(("env", name) for name in PROGRAM_ENV)


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A valid model of a stage, or a valid model file by itself, and where each of its values came from.

    Attributes:
        settings: The model.
        origins: The origin of each value in a file, by path.
        file: The file to name where a value is missing.
        prefix: The path of the model inside that file.
    """

    settings: ModelDefinition
    origins: Mapping[KeyPath, Origin]
    file: str
    prefix: KeyPath = ()


def definition_files(sources: Sources, problems: list[Problem]) -> dict[str, str]:
    """The model files by model name; two files of one name are a problem."""
    found: dict[str, str] = {}
    for file in sources.model_files:
        name = PurePosixPath(file).stem
        if name in found:
            reason = f"collides with {found[name]}: both define {name}"
            problems.append(Problem(file=file, reason=reason, fix="rename or delete one of them"))
        found.setdefault(name, file)
    return found


def load_definition(sources: Sources, name: str, file: str) -> tuple[LoadedModel | None, list[Problem]]:
    """Read a model's file by itself, whether or not a stage names it.

    Returns:
        The model or None, and every problem.
    """
    try:
        document = read_document(sources, file)
    except SettingsError as error:
        return None, list(error.problems)
    data = {k: v for k, v in document.data.items() if k not in _STAGE_ONLY}
    settings, found = validated(
        ModelDefinition, _with_runtime(data, name), origins=document.origins, file=file
    )
    loaded = None
    if settings is not None:
        loaded = LoadedModel(settings=settings, origins=document.origins, file=file)
    return loaded, _stage_only(document) + found + _bad_name(name, file)


def load_model(
    sources: Sources, name: str, file: str | None, overlay: Document, prefix: KeyPath
) -> tuple[ModelSettings | None, Mapping[KeyPath, Origin], list[Problem]]:
    """Merge a stack file's entry over a model's file and validate the result.

    Args:
        sources: The project.
        name: The model's name.
        file: The model's file; None when there is none.
        overlay: The entry, with paths and origins from the entry on.
        prefix: The entry's path in the stack file.

    Returns:
        The model's settings or None, the origin of each value in a file, and every problem.
    """
    if file is None:
        problem = Problem(
            file=overlay.file,
            line=overlay.origins[()].line,
            field=dotted(prefix),
            reason=f"models/{name}.yaml does not exist",
            fix="create it, or remove the model from the stage",
        )
        return None, {}, [problem, *_bad_name(name, overlay.file)]
    try:
        base = read_document(sources, file)
    except SettingsError as error:
        return None, {}, list(error.problems)
    problems = _stage_only(base) + _bad_name(name, overlay.file) + unquoted(overlay, prefix)
    problems += _nothing_to_remove(base.data, overlay, prefix)
    data, origins = merge(base, overlay)
    data["name"] = name
    model, found = validated(
        ModelSettings,
        _with_runtime(data, name),
        origins=origins,
        file=overlay.file,
        prefix=prefix,
        below=ModelDefinition,
    )
    # The version is reported once: unquoted, or wrong.
    reported = {problem.field for problem in problems}
    problems += [p for p in found if p.field not in reported and p.field != dotted((*prefix, "name"))]
    return model, origins, problems


def merge(base: Document, overlay: Document) -> tuple[dict[str, Any], dict[KeyPath, Origin]]:
    """Merge an overlay over a base: mappings merge, scalars and lists replace, null removes (RFC 7396)."""
    origins = dict(base.origins)

    def lay(below: dict[str, Any], above: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        result = dict(below)
        for key, value in above.items():
            here = (*path, key)
            old = below.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                origins[here] = overlay.origins[here]
                result[key] = lay(old, value, here)
                continue
            for stale in _paths(old, here):
                origins.pop(stale, None)
            if value is None and here not in _NULL_IS_VALUE:
                result.pop(key, None)
                continue
            result[key] = lay({}, value, here) if isinstance(value, dict) else value
            origins.update((p, overlay.origins[p]) for p in _paths(value, here) if p in overlay.origins)
        return result

    merged = lay(base.data, overlay.data, ())
    origins[()] = overlay.origins[()]
    return merged, origins


def _paths(value: object, path: KeyPath) -> Iterator[KeyPath]:
    """The path of a value, and of each value in it."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from _paths(item, (*path, key))


def _nothing_to_remove(base: dict[str, Any], overlay: Document, prefix: KeyPath) -> list[Problem]:
    """A null that removes nothing is a mistyped key, or `key:value` without its space."""
    problems: list[Problem] = []

    def walk(below: object, above: dict[str, Any], path: KeyPath) -> None:
        given = below if isinstance(below, dict) else {}
        for key, value in above.items():
            here = (*path, key)
            if isinstance(value, dict):
                walk(given.get(key), value, here)
            elif value is None and key not in given and here not in _NULL_IS_VALUE:
                reason = "has no value; null removes a key of the model's file, which has no such key"
                problems.append(
                    Problem(
                        file=overlay.file,
                        line=overlay.origins[here].line,
                        field=dotted((*prefix, *here)),
                        reason=reason,
                        fix="write `key: value` with a space, correct the key, or remove it",
                    )
                )

    walk(base, overlay.data, ())
    return problems


def _with_runtime(data: dict[str, Any], name: str) -> dict[str, Any]:
    """A model's raw settings with the values that its runtime provides, where the files have none."""
    result = dict(data)
    supplied = runtime_values(data.get("runtime", Runtime.GENERIC), name, data.get("port"))
    for path, value in supplied.items():
        target = result
        for key in path[:-1]:
            below = target.get(key, {})
            if not isinstance(below, dict):
                break
            target[key] = dict(below)
            target = target[key]
        else:
            target.setdefault(path[-1], value)
    return result


def _stage_only(base: Document) -> list[Problem]:
    return [
        Problem(
            file=base.file,
            line=base.origins[(key,)].line,
            field=key,
            value=base.origins[(key,)].raw,
            reason="belongs to a stage, not to the model",
            fix="move it to the model's entry in Pulumi.<stage>.yaml",
        )
        for key in _STAGE_ONLY
        if key in base.data
    ]


def _bad_name(name: str, file: str) -> list[Problem]:
    _, found = validated(_Name, {"name": name}, origins={}, file=file)
    return [Problem(file=p.file, field=p.field, value=name, reason=p.reason, fix=p.fix) for p in found]


class _Name(Settings):
    name: DnsLabel


def unquoted(overlay: Document, prefix: KeyPath) -> list[Problem]:
    """YAML parsers read a bare 1.10, 1e3 or 2024-01-02 differently; a quoted one is the same for all."""
    problems = []
    for key in ("version", "digest"):
        origin = overlay.origins.get((key,))
        if origin is None or origin.quoted or not origin.raw:
            continue
        value = overlay.data[key]
        reads = "" if isinstance(value, str) else f"; YAML reads it as {value}"
        problems.append(
            Problem(
                file=overlay.file,
                line=origin.line,
                field=dotted((*prefix, key)),
                value=origin.raw,
                reason=f"must be quoted{reads}",
                fix=f'write {key}: "{origin.raw}"',
            )
        )
    return problems
