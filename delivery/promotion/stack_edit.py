"""Edits one model's entry in a stack file's text; every other byte stays.

The positions are those of the YAML parser. Writing the file from the parsed data would change more: a round trip with
ruamel.yaml changes spacing in `{ }`, indentation and long lines, and a release is a diff of one line.
"""

from dataclasses import dataclass

import yaml

from components.errors import UserError
from components.files.sources import PROJECT
from delivery.releases.changes import Deployed, deployed, entries

_KEY = f"{PROJECT}:models"


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A key with its value, and the positions of both in the text."""

    name: str
    key: yaml.Node
    value: yaml.Node


def with_release(text: str, file: str, model: str, wanted: Deployed) -> str:
    """The text with another version and digest of a model, or with an entry for a new one.

    Args:
        text: A valid stack file's text.
        file: Its name, for messages.
        model: The model, which may be new in the file.
        wanted: The new values of the entry. `replicas` is for a new entry; an existing one keeps its own.

    Raises:
        UserError: the file is written in a way that cannot be edited in place.
    """
    models = _models(text, file)
    entry = next((pair for pair in models if pair.name == model), None)
    if entry is None:
        edited = _with_entry(text, file, model, wanted)
    else:
        fields = _pairs(entry.value)
        edited = text
        # From the end to the start, so that the positions before an edit stay valid.
        for change in sorted(_edits(text, entry.value, fields, wanted), reverse=True):
            edited = edited[: change[0]] + change[2] + edited[change[1] :]
    _confirm(text, edited, file, model, wanted)
    return edited


def _edits(text: str, entry: yaml.Node, fields: list[_Pair], wanted: Deployed) -> list[tuple[int, int, str]]:
    """What to replace, as start, end and the new text."""
    by_name = {field.name: field for field in fields}
    version = by_name["version"]
    made = [_scalar(text, version.value, wanted.version)]
    digest = by_name.get("digest")
    if digest is not None and wanted.digest is not None:
        made.append(_scalar(text, digest.value, wanted.digest))
    elif digest is not None:
        made.append(_without(text, entry, fields, digest))
    elif wanted.digest is not None:
        # The version is written again, since two edits at one position have no order.
        made = [_and_digest(text, entry, version, made[0], wanted.digest)]
    return made


def _scalar(text: str, node: yaml.Node, value: str) -> tuple[int, int, str]:
    start, end = node.start_mark.index, node.end_mark.index
    quote = text[start] if text[start] in "'\"" else '"'
    return start, end, f"{quote}{value}{quote}"


def _and_digest(
    text: str, entry: yaml.Node, version: _Pair, replaced: tuple[int, int, str], digest: str
) -> tuple[int, int, str]:
    start, end, value = replaced
    if _flow(entry):
        return start, end, f'{value}, digest: "{digest}"'
    line_end = _line_end(text, end)
    indent = " " * version.key.start_mark.column
    rest = text[end:line_end]
    return start, line_end, f'{value}{rest}{_newline(text)}{indent}digest: "{digest}"'


def _without(text: str, entry: yaml.Node, fields: list[_Pair], gone: _Pair) -> tuple[int, int, str]:
    start, end = gone.key.start_mark.index, gone.value.end_mark.index
    at = fields.index(gone)
    if _flow(entry) and at > 0:
        return fields[at - 1].value.end_mark.index, end, ""
    if _flow(entry):
        return start, fields[at + 1].key.start_mark.index, ""
    if at == 0 and text[text.rfind("\n", 0, start) + 1 : start].strip():
        return start, fields[at + 1].key.start_mark.index, ""
    return text.rfind("\n", 0, start) + 1, _line_end(text, end) + len(_newline(text)), ""


def _with_entry(text: str, file: str, model: str, wanted: Deployed) -> str:
    digest = f', digest: "{wanted.digest}"' if wanted.digest else ""
    entry = f'{model}: {{version: "{wanted.version}"{digest}, replicas: {wanted.replicas}}}'
    place = _place(text, file)
    models = _pairs(place.value)
    start, end = place.value.start_mark.index, place.value.end_mark.index
    if isinstance(place.value, yaml.MappingNode) and _flow(place.value):
        if not models:
            return f"{text[:start]}{{{entry}}}{text[end:]}"
        last = models[-1].value.end_mark.index
        return f"{text[:last]}, {entry}{text[last:]}"
    newline = _newline(text)
    if models:
        column, last = models[0].key.start_mark.column, _last(models[-1].value)
    else:
        column, last = place.key.start_mark.column + 2, place.key.end_mark.index
        text = text[:start] + text[end:] if start != end else text
    # What ends in a newline, like a multi-line text, is directly followed by the next line.
    at = last if text[last - 1 : last] == "\n" else _line_end(text, last)
    before = "" if at == 0 or text[at - 1] == "\n" else newline
    after = newline if not before else ""
    return f"{text[:at]}{before}{' ' * column}{entry}{after}{text[at:]}"


def _models(text: str, file: str) -> list[_Pair]:
    return _pairs(_place(text, file).value)


def _place(text: str, file: str) -> _Pair:
    # The parser in Python: its positions count characters of the text, even after a byte order mark.
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    config = next((pair.value for pair in _pairs(root) if pair.name == "config"), None)
    place = next((pair for pair in _pairs(config) if pair.name == _KEY), None)
    if place is None:
        raise UserError(f"{file} has no {_KEY} under config:", f"write `{_KEY}: {{}}` there")
    return place


def _pairs(node: yaml.Node | None) -> list[_Pair]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [_Pair(name=key.value, key=key, value=value) for key, value in node.value]


def _last(node: yaml.Node) -> int:
    """Where a value's text ends; a block collection's own end is the start of what follows it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not _flow(node):
        below = node.value[-1]
        return _last(below[1] if isinstance(below, tuple) else below)
    return node.end_mark.index


def _flow(node: yaml.Node) -> bool:
    """True for `{ }` and `[ ]`."""
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[at:end].endswith("\r") else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _confirm(text: str, edited: str, file: str, model: str, wanted: Deployed) -> None:
    """The edit must change what it should and nothing else, however the file is written."""
    old, new = entries(text, file), entries(edited, file)
    before, after = old.get(model, {}), new.get(model, {})
    own = {"version", "digest", "replicas"}
    others = {k: v for k, v in after.items() if k not in own} == {
        k: v for k, v in before.items() if k not in own
    }
    models = {k: v for k, v in new.items() if k != model} == {k: v for k, v in old.items() if k != model}
    now = deployed(after)
    right = now is not None and (now.version, now.digest) == (wanted.version, wanted.digest)
    replicas = before.get("replicas", wanted.replicas)
    if not (others and models and right and after.get("replicas") == replicas):
        raise UserError(
            f"{file} is written in a way that cannot be edited in place at {model}",
            f'write version: "{wanted.version}"'
            + (f' and digest: "{wanted.digest}"' if wanted.digest else "")
            + " there by hand",
        )
