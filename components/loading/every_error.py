"""Every error of raw data at once, with those that pydantic reports only where everything else is right.

A check of one setting against another runs only on valid ones. So what is wrong by itself is left out, and the rest is
validated again; only a contradiction between settings that are right is then another mistake.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.files.yaml_document import KeyPath
from components.settings.wrong import WRONG

_MOST = 1_000
UNKNOWN_KEY, MISSING = "extra_forbidden", "missing"
# What takes the place of a setting that every model or stage must have, so that the others are checked without it.
_STAND_INS: Mapping[str, Any] = {
    "owner": "team",
    "image": "image",
    "version": "v1",
    "replicas": 1,
    "namespace": "stage",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    "port": 8080,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One error.

    Attributes:
        kind: Pydantic's type of it.
        path: Where it is in the data.
        details: Pydantic's own words.
        reason: What is wrong; empty where the error is pydantic's own.
        fix: What to do about it; empty where the error is pydantic's own.
        about: The paths of the values that it is about; `path` is the first.
    """

    kind: str
    path: KeyPath
    details: ErrorDetails
    reason: str = ""
    fix: str = ""
    about: tuple[KeyPath, ...] = ()


def every_error(model: type[BaseModel], data: Mapping[str, Any]) -> list[Found]:
    """Every error of raw data against a settings class, which is not empty only where there is one."""
    left = copy.deepcopy(dict(data))
    found = _errors(model, left)
    # Each takes time, and so many are the work of a program.
    if len(found) > _MOST:
        return found[:_MOST]
    gone: list[KeyPath] = []
    new = found
    while new:
        before = copy.deepcopy(left)
        for error in new:
            _leave_out(left, error)
            gone.append(error.path[:-1] or error.path if error.kind in {UNKNOWN_KEY, MISSING} else error.path)
        if left == before:
            break
        new = _errors(model, left)
        known = {(error.kind, error.path, error.reason) for error in found}
        found += [
            error
            for error in new
            if error.kind == WRONG
            and (error.kind, error.path, error.reason) not in known
            and not any(_overlap(one, other) for one in error.about for other in gone)
        ]
    return found


def _errors(model: type[BaseModel], data: Mapping[str, Any]) -> list[Found]:
    try:
        model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        return [found for details in error.errors(include_url=False) for found in _found(details)]
    return []


def _found(details: ErrorDetails) -> Iterator[Found]:
    # "[key]" is pydantic's mark for an error in a mapping's key.
    path = tuple(part for part in details["loc"] if part != "[key]")
    context = details.get("ctx", {})
    if details["type"] != WRONG:
        yield Found(kind=details["type"], path=path, details=details, about=(path,))
        return
    for each in (context, *context.get("more", ())):
        about = tuple((*path, *place) for place in each["about"]) or (path,)
        yield Found(
            kind=WRONG, path=about[0], details=details, reason=each["reason"], fix=each["fix"], about=about
        )


def _leave_out(data: dict[str, Any], error: Found) -> None:
    """Remove the value of an error; a whole list instead of an item, and what lacks a value instead of the value."""
    path = error.path[: next((at for at, key in enumerate(error.path) if isinstance(key, int)), None)]
    if error.kind == MISSING and len(path) > 1:
        path = path[:-1]
    below = data
    for key in path:
        inner = below.get(str(key))
        if key == path[-1] or not isinstance(inner, dict):
            below.pop(str(key), None)
            break
        below = inner
    if len(path) == 1 and path[0] in _STAND_INS and error.kind != UNKNOWN_KEY:
        data[str(path[0])] = _STAND_INS[str(path[0])]


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one
