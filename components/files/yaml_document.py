"""YAML read strictly, with the place every value came from.

PyYAML alone keeps the last of two equal keys, turns `1.10` into 1.1 and a bare date into an object, and expands
aliases without a limit. Here each of these is a problem with its line, so what a reviewer reads is what is deployed.
"""

import contextlib
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.errors import Problem, SettingsError
from components.files.characters import LOST, LOST_FIX, lost, raw_problems, without_raw
from components.files.sources import Sources

KeyPath = tuple[str | int, ...]

# The parser in C is several times faster and is part of PyYAML's wheels; the other one reads the same language.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_resolver: Any = yaml.resolver.Resolver()
_TAG = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BOOLEANS = {"true": True, "false": False}
MAX_DEPTH = 50
# Kubernetes' numbers have 64 bits: https://kubernetes.io/docs/reference/using-api/api-concepts/
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LONGEST_NUMBER = len(str(_SMALLEST))
# More are not shown; a file of a megabyte may have hundreds of thousands.
_MOST_PROBLEMS = 1_000


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The position of a value and how it is written."""

    file: str
    line: int
    raw: str | None
    quoted: bool


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file's mapping as plain data, and the origin of each value and mapping in it by path."""

    file: str
    data: dict[str, Any]
    origins: dict[KeyPath, Origin] = field(default_factory=dict)


def dotted(path: KeyPath) -> str:
    """`("models", "a", "mounts", 0)` as `models.a.mounts[0]`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def read_document(sources: Sources, file: str) -> Document:
    """Read one YAML mapping from a project's file.

    Raises:
        SettingsError: the file is missing, empty, not UTF-8, not YAML, not a mapping, or contains a
            duplicate key, an alias, a tag, a bare date or a key that is not a text.
    """
    try:
        text = sources.text(file)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        reason = f"the file is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x})"
        raise SettingsError(
            [Problem(file=file, line=line, reason=reason, fix="save the file as UTF-8")]
        ) from None
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Document:
    """Read the text of one YAML mapping; `file` is the name used in problems.

    Raises:
        SettingsError: as `read_document`, except for problems that only a file can have.
    """
    reader, readable = _Reader(file), without_raw(text)
    problems: list[Problem] = []
    data: dict[str, Any] = {}
    try:
        data = _data(readable, reader)
    except SettingsError as error:
        problems += error.problems
    problems += reader.problems
    if readable != text:
        # The rest was read all the same, so that all problems are reported together.
        values = {dotted(path): (origin.line, origin.raw) for path, origin in reader.origins.items()}
        problems += raw_problems(text, file, values)
    if problems:
        raise SettingsError(problems)
    return Document(file=file, data=data, origins=reader.origins)


def _data(text: str, reader: "_Reader") -> dict[str, Any]:
    file, node = reader.file, _compose(text, reader.file)
    if node is None:
        raise SettingsError(
            [Problem(file=file, reason="the file is empty", fix="write its settings, or delete it")]
        )
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(
            [Problem(file=file, line=1, reason="the file is not a mapping", fix="write `key: value`")]
        )
    if reader.tagged(node):
        reader.refuse_tag(node, ())
    return reader.mapping(node, ())


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        _refuse_deep_nesting(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        column = f", column {mark.column + 1}" if mark else ""
        what = " ".join(part for part in (error.context, error.problem) if part)
        problem = Problem(
            file=file,
            line=line,
            reason=f"not valid YAML at line {line}{column}: {what}",
            fix="correct the syntax there",
        )
        raise SettingsError([problem]) from None
    except yaml.YAMLError as error:
        reason = f"not valid YAML: {' '.join(str(error).split())}"
        raise SettingsError([Problem(file=file, reason=reason, fix="correct the syntax there")]) from None
    return node


def _refuse_deep_nesting(text: str) -> None:
    """The parsers are recursive, so nesting is limited before it can exhaust the stack."""
    opening = text.count("[") + text.count("{")
    # What can open a block: each level of one line is a sign of these.
    indented = max((len(line) - len(line.lstrip(" -?:\t")) for line in text.splitlines()), default=0)
    if opening <= MAX_DEPTH and indented <= MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise yaml.YAMLError(f"line {line} is nested deeper than {MAX_DEPTH} levels")


class _Reader:
    """Turns composed nodes into plain data, collecting origins and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.origins: dict[KeyPath, Origin] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                self._problem(
                    key_node,
                    path,
                    "<< merges what stands elsewhere, which is not supported, so that a diff shows what it changes",
                    "write the keys out",
                    value=False,
                )
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_TAG}str":
                raw = key_node.value if isinstance(key_node, yaml.ScalarNode) else "a collection"
                self._problem(
                    key_node, path, f"the key {raw} is not a text", f'quote it: "{raw}"', value=False
                )
                continue
            key = key_node.value
            self._refuse_lost(key, key_node, (*path, key))
            if key in result:
                self._problem(
                    key_node,
                    (*path, key),
                    f"the key is given twice, first in line {lines[key]} (YAML would keep the last silently)",
                    "delete one of the two",
                    value=False,
                )
            lines.setdefault(key, key_node.start_mark.line + 1)
            result[key] = self._value(value_node, (*path, key), key_node.start_mark.line + 1)
        return result

    def _value(self, node: yaml.Node, path: KeyPath, line: int) -> Any:  # noqa: ANN401
        if id(node) in self._seen:
            self._problem(
                node,
                path,
                "anchors and aliases are not supported, so that a diff shows what it changes",
                "write the value out",
            )
            return None
        self._seen.add(id(node))
        if not isinstance(node, yaml.ScalarNode) and self.tagged(node):
            self.refuse_tag(node, path)
        if isinstance(node, yaml.MappingNode):
            self._origin(path, line, node)
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._origin(path, line, node)
            return [
                self._value(item, (*path, index), item.start_mark.line + 1)
                for index, item in enumerate(node.value)
            ]
        self._origin(path, node.start_mark.line + 1, node)
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: KeyPath) -> str | int | float | bool | None:
        raw: str = node.value
        kind = node.tag.removeprefix(_TAG)
        value: str | int | float | bool | None = raw
        if kind != "str" and self.tagged(node):
            self.refuse_tag(node, path)
        elif kind == "null":
            value = None
        elif kind == "bool" and raw.lower() in _BOOLEANS:
            value = _BOOLEANS[raw.lower()]
        elif kind == "int" and _DECIMAL.fullmatch(raw):
            value = self._whole(node, path)
        elif kind == "float":
            value = self._fraction(node, path)
        elif kind in {"bool", "int"}:
            self._ambiguous(node, path, "a boolean" if kind == "bool" else "a number")
        elif kind == "timestamp":
            self._ambiguous(node, path, "a date")
        elif kind != "str":
            self.refuse_tag(node, path)
        else:
            self._refuse_lost(raw, node, path)
        return value

    def _refuse_lost(self, text: str, node: yaml.Node, path: KeyPath) -> None:
        if found := LOST.search(text):
            self._problem(node, path, lost(found[0]), LOST_FIX)

    def tagged(self, node: yaml.Node) -> bool:
        """True where a tag in the file, and not the text, decides what a value is."""
        if not isinstance(node, yaml.ScalarNode):
            return bool(node.tag != f"{_TAG}{'map' if isinstance(node, yaml.MappingNode) else 'seq'}")
        return bool(node.style) or bool(
            _resolver.resolve(yaml.ScalarNode, node.value, (True, False)) != node.tag
        )

    def refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        self._problem(node, path, f"the tag {node.tag} is not supported", "remove the tag")

    def _whole(self, node: yaml.Node, path: KeyPath) -> int | None:
        # Python itself refuses to read one of thousands of digits.
        value = int(node.value) if len(node.value) <= _LONGEST_NUMBER else None
        if value is None or not _SMALLEST <= value <= _LARGEST:
            self._problem(
                node, path, "is a number that takes more than 64 bits", f"write one up to {_LARGEST}"
            )
            return None
        return value

    def _fraction(self, node: yaml.Node, path: KeyPath) -> float | None:
        with contextlib.suppress(ValueError):
            value = float(node.value.replace("_", ""))
            if math.isfinite(value):
                return value
        self._ambiguous(node, path, "a number")
        return None

    def _ambiguous(self, node: yaml.Node, path: KeyPath, kind: str) -> None:
        reason = f"without quotes YAML reads this as {kind}"
        meant = f'quote it: "{node.value}"'
        self._problem(
            node, path, reason, f"{meant}, or write true or false" if kind == "a boolean" else meant
        )

    def _origin(self, path: KeyPath, line: int, node: yaml.Node) -> None:
        scalar = isinstance(node, yaml.ScalarNode)
        self.origins[path] = Origin(
            file=self.file,
            line=line,
            raw=node.value if scalar else None,
            quoted=scalar and bool(getattr(node, "style", None)),
        )

    def _problem(self, node: yaml.Node, path: KeyPath, reason: str, fix: str, *, value: bool = True) -> None:
        """Collect a problem; `value` is false where it is about the key, and the node is not what is written there."""
        if len(self.problems) >= _MOST_PROBLEMS:
            return
        self.problems.append(
            Problem(
                file=self.file,
                line=node.start_mark.line + 1,
                field=dotted(path),
                value=node.value if value and isinstance(node, yaml.ScalarNode) else None,
                reason=reason,
                fix=fix,
            )
        )
