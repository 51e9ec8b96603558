"""Turns pydantic's errors into problems with file, line, field, value, reason and fix."""

import difflib
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from components.errors import Problem
from components.files.yaml_document import KeyPath, Origin, dotted
from components.loading.every_error import MISSING, UNKNOWN_KEY, Found, every_error
from components.loading.terms import Hint, shape, term

Model = TypeVar("Model", bound=BaseModel)
# How similar a word must be to one that is known: `modle` and `ownr` are; `annotations` is not `tolerations`.
_NEAR = 0.75
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
    below: type[BaseModel] | None = None,
) -> tuple[Model | None, list[Problem]]:
    """Validate raw data, as strictly as JSON: no conversion between types.

    Args:
        model: The settings class.
        data: Raw data of a document, or of a merge of two.
        origins: Where each path of `data` came from.
        file: The file to name where a value is missing.
        prefix: The path of `data` inside that file.
        below: The settings class of the document that was merged over, where it has fewer keys.

    Returns:
        The settings and no problems, or None and every problem found.
    """
    try:
        return model.model_validate_json(json.dumps(data)), []
    except ValidationError:
        found = every_error(model, data)
    hints = {
        error.path: _hint(model if _in(file, error.path, origins) else below or model, error.path)
        for error in found
        if error.kind == UNKNOWN_KEY
    }
    # A key that is written in another way is not missing as well.
    meant = {(*path[:-1], hint.meant) for path, hint in hints.items()}
    return None, [
        _problem(error, hints.get(error.path), origins=origins, file=file, prefix=prefix)
        for error in found
        if error.kind != MISSING or error.path not in meant
    ]


def _in(file: str, path: KeyPath, origins: Mapping[KeyPath, Origin]) -> bool:
    near = _nearest(path, origins)
    return near is None or near.file == file


def _problem(
    error: Found, hint: Hint | None, *, origins: Mapping[KeyPath, Origin], file: str, prefix: KeyPath
) -> Problem:
    path = next((place for place in error.about if place in origins), error.path)
    origin = origins.get(path)
    # EnvValue wraps a plain text as `value`.
    if origin is None and path and path[-1] == "value":
        path, origin = path[:-1], origins.get(path[:-1])
    reason, fix = (hint.reason, hint.fix) if hint else _reason_and_fix(error, path, origin)
    written = error.kind != MISSING
    return problem_at(path, reason, fix, origins=origins, file=file, prefix=prefix, written=written)


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


def _hint(model: type[BaseModel], path: KeyPath) -> Hint:
    """What an unknown key means: a known one, a word of Kubernetes, or nothing, and then the keys that are known."""
    key, known = str(path[-1]), sorted(_valid_keys(model, path[:-1]))
    if found := term(key, known):
        return found
    close = _closest(key, known)
    if close:
        return Hint(reason="unknown key", fix=f"write {close}, or remove it", meant=close)
    return Hint(reason="unknown key", fix=f"remove it; valid keys are {', '.join(known)}")


def _closest(given: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant; None where none is near."""
    plain = {re.sub("[-_ ]", "", word).lower(): word for word in known}
    near = difflib.get_close_matches(re.sub("[-_ ]", "", given).lower(), plain, n=1, cutoff=_NEAR)
    return plain[near[0]] if near else None


def _reason_and_fix(error: Found, path: KeyPath, origin: Origin | None) -> tuple[str, str]:
    kind, last, details = error.kind, path[-1] if path else "", error.details
    if error.reason:
        return error.reason, error.fix
    if kind == MISSING:
        return "is required and missing", _SAMPLES.get(str(last), f"add the line {last}: ...")
    given = details["input"]
    if found := shape(str(last), kind, given):
        return found
    if kind == "string_type" and origin is not None and origin.raw is not None:
        return "must be a text; YAML reads it as something else", f'quote it: "{origin.raw}"'
    context = details.get("ctx", {})
    if kind == "enum":
        return "is not one of the known values", _choice(str(given), context["expected"])
    reason = details["msg"][:1].lower() + details["msg"][1:]
    fix = _FIXES.get(kind, "correct the value").format(**context)
    expected = context.get("expected")
    return reason, f"write one of {expected}" if expected else fix


def _choice(given: str, expected: str) -> str:
    """The closest known value, and all of them."""
    known = expected.replace(" or ", ", ").replace("'", "").split(", ")
    close = _closest(given, known)
    every = f"one of {', '.join(known)}"
    return f"write {close}; it must be {every}" if close else f"write {every}"


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
