"""Turns pydantic's errors into problems with file, line, field, value, reason and fix."""

import difflib
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.errors import Problem
from components.files.yaml_document import KeyPath, Origin, dotted
from components.settings.wrong import WRONG

Model = TypeVar("Model", bound=BaseModel)
_FIXES = {
    "int_type": "write a whole number without quotes",
    "int_from_float": "write a whole number without quotes",
    "bool_type": "write true or false, without quotes",
    "dict_type": "write it as `key: value` lines",
    "model_type": "write it as `key: value` lines",
    "tuple_type": "write it as a list of `- item` lines",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
}
_SAMPLES = {
    "version": 'add the line version: "<tag>"',
    "replicas": "add the line replicas: <number>",
    "owner": "add the line owner: <team> to the model's file",
    "image": "add the line image: <repository without a tag> to the model's file",
    "reason": "add reason: <why>",
    "until": 'add until: "<year-month-day>", the last day of the exception, which must not last for ever',
    "resources": "add resources: with requests and limits for cpu and memory to the model's file",
}


def validated(
    model: type[Model],
    data: Mapping[str, Any],
    *,
    origins: Mapping[KeyPath, Origin],
    file: str,
    prefix: KeyPath = (),
) -> tuple[Model | None, list[Problem]]:
    """Validate raw data, as strictly as JSON: no conversion between types.

    Args:
        model: The settings class.
        data: Raw data of a document, or of a merge of two.
        origins: Where each path of `data` came from.
        file: The file to name where a value is missing.
        prefix: The path of `data` inside that file.

    Returns:
        The settings and no problems, or None and every problem found.
    """
    try:
        return model.model_validate_json(json.dumps(data)), []
    except ValidationError as error:
        return None, [
            _problem(model, details, origins=origins, file=file, prefix=prefix)
            for details in error.errors(include_url=False)
        ]


def _problem(
    model: type[BaseModel],
    details: ErrorDetails,
    *,
    origins: Mapping[KeyPath, Origin],
    file: str,
    prefix: KeyPath,
) -> Problem:
    # "[key]" is pydantic's mark for an error in a mapping's key; EnvValue wraps a plain text as `value`.
    path = tuple(part for part in details["loc"] if part != "[key]")
    kind = details["type"]
    origin = origins.get(path)
    if origin is None and path and path[-1] == "value":
        path, origin = path[:-1], origins.get(path[:-1])
    reason, fix = _reason_and_fix(model, path, details, origin)
    return problem_at(path, reason, fix, origins=origins, file=file, prefix=prefix, written=kind != "missing")


def problem_at(
    path: KeyPath,
    reason: str,
    fix: str,
    *,
    origins: Mapping[KeyPath, Origin],
    file: str,
    prefix: KeyPath = (),
    written: bool = True,
) -> Problem:
    """A problem at a path of the data, with the file, line and value that the path came from.

    Args:
        path: Where in the data.
        reason: What is wrong, as a sentence without its full stop.
        fix: What to do about it.
        origins: Where each path of the data came from.
        file: The file to name where the value is missing.
        prefix: The path of the data inside that file.
        written: Whether there is a value at the path; false names only the place.
    """
    origin = origins.get(path)
    near = origin or _nearest(path, origins)
    raw = origin.raw if origin is not None and written else None
    field_prefix = prefix if near is None or near.file == file else ()
    return Problem(
        file=near.file if near else file,
        line=near.line if near else None,
        field=dotted((*field_prefix, *path)),
        value=f'"{raw}"' if raw is not None and origin and origin.quoted else raw,
        reason=reason,
        fix=fix,
    )


def _nearest(path: KeyPath, origins: Mapping[KeyPath, Origin]) -> Origin | None:
    for length in range(len(path), -1, -1):
        if path[:length] in origins:
            return origins[path[:length]]
    return None


def _reason_and_fix(
    model: type[BaseModel], path: KeyPath, details: ErrorDetails, origin: Origin | None
) -> tuple[str, str]:
    kind, last = details["type"], path[-1] if path else ""
    if kind == WRONG:
        return details["ctx"]["reason"], details["ctx"]["fix"]
    if kind == "extra_forbidden":
        valid = sorted(_valid_keys(model, path[:-1]))
        close = difflib.get_close_matches(str(last), valid, n=1)
        fix = f"write {close[0]}, or remove it" if close else "remove it"
        return "unknown key", f"{fix}; valid keys are {', '.join(valid)}"
    if kind == "missing":
        return "is required and missing", _SAMPLES.get(str(last), f"add the line {last}: ...")
    if kind == "string_type" and origin is not None and origin.raw is not None:
        return "must be a text; YAML reads it as something else", f'quote it: "{origin.raw}"'
    context = details.get("ctx", {})
    if kind == "enum":
        return "is not one of the known values", _choice(str(details["input"]), context["expected"])
    reason = details["msg"][:1].lower() + details["msg"][1:]
    fix = _FIXES.get(kind, "correct the value").format(**context)
    expected = context.get("expected")
    return reason, f"write one of {expected}" if expected else fix


def _choice(given: str, expected: str) -> str:
    """The closest known value, and all of them."""
    known = expected.replace(" or ", ", ").replace("'", "").split(", ")
    close = difflib.get_close_matches(given, known, n=1)
    every = f"one of {', '.join(known)}"
    return f"write {close[0]}; it must be {every}" if close else f"write {every}"


def _valid_keys(model: type[BaseModel], path: KeyPath) -> set[str]:
    """The keys of the settings class found at a path below `model`."""
    annotation: Any = model
    for part in path:
        annotation = _step(annotation, part)
    owner = _class_of(annotation)
    if owner is None:
        return set()
    return {info.alias or name for name, info in owner.model_fields.items()} - {"name"}


def _step(annotation: Any, part: str | int) -> Any:  # noqa: ANN401
    owner = _class_of(annotation)
    if owner is None:
        # dict[K, V] leads to V, tuple[T, ...] to T.
        arguments = [a for a in typing.get_args(annotation) if a is not Ellipsis]
        return arguments[-1] if arguments else None
    for name, info in owner.model_fields.items():
        if part in {name, info.alias}:
            return info.annotation
    return None


def _class_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation if issubclass(annotation, BaseModel) else None
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        found = [_class_of(argument) for argument in typing.get_args(annotation)]
        return next((cls for cls in found if cls is not None), None)
    return None
