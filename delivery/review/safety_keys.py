"""The keys of a stage that differ in two commits, and what judges its models."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.errors import SettingsError
from components.files.yaml_document import read_document
from components.loading.stack_files import stack_file
from components.settings.namespaces import PodSecurity
from components.settings.stack import PROJECT
from delivery.rendering.stage_at import StageAt
from delivery.review.safety import SafetyChange

# Key, value before and after, and whether the base commit has the key.
Weakens = Callable[[str, Any, Any, bool], bool]
_ELSEWHERE = {"stage", "models", "definitions"}
_JUDGES = {"gate", "registered_model"}
_TRUE_IS_STRICTER = {"requireDigest", "policy.highAvailability"}
_EXCEPTIONS = "policy.exceptions"
_STANDARDS = [str(standard) for standard in PodSecurity]


def key_changes(base: StageAt, head: StageAt) -> Iterator[SafetyChange]:
    """Every key of the stage whose value differs, defaults included, and the gates of models of both commits.

    Where the files of one commit have problems, what is written in both is compared.
    """
    yield from engine_changes(base, head)
    try:
        old, new = base.settings, head.settings
    except SettingsError:
        before, after = ({k: v for k, v in _written(at).items() if k != "models"} for at in (base, head))
        yield from _different(before, after, _weakens)
        return
    yield from _different(
        old.model_dump(mode="json", by_alias=True, exclude=_ELSEWHERE),
        new.model_dump(mode="json", by_alias=True, exclude=_ELSEWHERE),
        _weakens,
    )
    models = {model.name: model for model in old.models}
    for model in new.models:
        if (earlier := models.get(model.name)) is not None:
            yield from _different(
                {"models": {model.name: earlier.model_dump(mode="json", by_alias=True, include=_JUDGES)}},
                {"models": {model.name: model.model_dump(mode="json", by_alias=True, include=_JUDGES)}},
                _always_where_it_was,
            )
            yield from _different(
                {"models": {model.name: {"podSecurity": earlier.pod_security}}},
                {"models": {model.name: {"podSecurity": model.pod_security}}},
                _loosens(old.pod_security, new.pod_security),
            )


def engine_changes(base: StageAt, head: StageAt) -> Iterator[SafetyChange]:
    """The keys that Pulumi's engine reads itself, like its secrets provider; a new stage file has to have some."""
    if base.sources.has(stack_file(base.stage)):
        yield from _different(_of_engine(base), _of_engine(head), lambda key, before, after, had: True)


def _written(at: StageAt) -> Mapping[str, Any]:
    """What a stack file says under `ml-deployments:`, by key; nothing where it cannot be read."""
    config = _document(at).get("config")
    return {
        key.partition(":")[2]: value
        for key, value in (config if isinstance(config, dict) else {}).items()
        if key.startswith(f"{PROJECT}:")
    }


def _of_engine(at: StageAt) -> Mapping[str, Any]:
    document = _document(at)
    config = document.get("config")
    rest = config if isinstance(config, dict) else {}
    return {
        **{key: value for key, value in document.items() if key != "config"},
        "config": {key: value for key, value in rest.items() if not key.startswith(f"{PROJECT}:")},
    }


def _document(at: StageAt) -> Mapping[str, Any]:
    try:
        return read_document(at.sources, stack_file(at.stage)).data
    except SettingsError:
        return {}


def _weakens(key: str, before: Any, after: Any, had: bool) -> bool:  # noqa: ANN401
    if key in _TRUE_IS_STRICTER:
        return after is not True
    if key == _EXCEPTIONS:
        return after is not None
    if key == "podSecurity" and before in _STANDARDS and after in _STANDARDS:
        return _STANDARDS.index(after) > _STANDARDS.index(before)
    root = key.partition(".")[0]
    return root == "kubeContext" or (had and root in {"policy", "modelRegistry", "podSecurity"})


def _always_where_it_was(key: str, before: Any, after: Any, had: bool) -> bool:  # noqa: ANN401
    return had


def _loosens(before: PodSecurity, after: PodSecurity) -> Weakens:
    """Whether a model's standard is lower than its own before; without one it is the stage's."""

    def weakens(_key: str, was: PodSecurity | None, now: PodSecurity | None, _had: bool) -> bool:
        return _STANDARDS.index(now or after) > _STANDARDS.index(was or before)

    return weakens


def _different(
    before: Mapping[str, Any], after: Mapping[str, Any], weakens: Weakens
) -> Iterator[SafetyChange]:
    for key, was, now in _values(before, after, ""):
        for one, other in _pairs(was, now):
            yield SafetyChange(
                what=key,
                before=_shown(one),
                after=_shown(other),
                weakens=weakens(key, one, other, was is not None),
            )


def _values(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    """Each value that differs, by its dotted path; what is removed with everything in it is one value."""
    if isinstance(after, Mapping) and isinstance(before, Mapping | None):
        old = before or {}
        for key in sorted({*old, *after}, key=str):
            yield from _values(old.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        return
    was, now = (None if value in ([], {}) else value for value in (before, after))
    if was != now:
        yield path, was, now


def _pairs(before: Any, after: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """Both values; of lists each item that one of them has and the other does not."""
    if not all(isinstance(value, list | None) for value in (before, after)):
        yield before, after
        return
    old, new = before or [], after or []
    yield from ((item, None) for item in old if item not in new)
    yield from ((None, item) for item in new if item not in old)
    if sorted(map(_shown, old), key=str) == sorted(map(_shown, new), key=str):
        yield old, new


def _shown(value: Any) -> str | None:  # noqa: ANN401
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
