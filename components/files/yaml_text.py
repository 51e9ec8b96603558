"""YAML for people: keys in order, multi-line texts as blocks; the same for readers of YAML 1.1, of 1.2 and in Go."""

import io
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# A query is one line, however long: a folded one cannot be copied.
_WIDTH = 10_000
_MAPPING, _MAPPING_END = MappingStartEvent(None, None, True, flow_style=False), MappingEndEvent()
_SEQUENCE, _SEQUENCE_END = SequenceStartEvent(None, None, True, flow_style=False), SequenceEndEvent()
_TEXT = "tag:yaml.org,2002:str"
_SHORT = 64
# What the others read as something else than a text, and PyYAML does not; underscores are left out before.
# y and n: https://yaml.org/type/bool.html; numbers: https://yaml.org/spec/1.2.2/#1032-tag-resolution, and those of Go
# with the date: https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go
_ELSEWHERE = re.compile(
    r"[yYnN]"
    r"|[-+]?0[xX][-+]?[0-9a-fA-F]+|[-+]?0[oO][-+]?[0-7]+|[-+]?0[bB][-+]?[01]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?"
)
# Ends of lines for YAML 1.1, and part of the text for YAML 1.2: https://yaml.org/spec/1.2.2/#54-line-break-characters
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
# Display nothing, or the rest of the line in another order, and the emitter takes them for printable.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb]")
_resolver: Any = yaml.resolver.Resolver()
_representer: Any = yaml.representer.SafeRepresenter()


class Quoted(str):
    """A text that is always written in single quotes."""


def dump(data: Any) -> str:  # noqa: ANN401
    """Plain data as YAML, the same text for the same data.

    Equal values are written twice: references are hard to read.

    Raises:
        yaml.YAMLError: the data contains a type that YAML cannot represent.
    """
    # The emitter is given events directly: yaml.dump makes nodes of them first and takes three times as long.
    stream = io.StringIO()
    dumper = _Dumper(stream, width=_WIDTH, allow_unicode=True)
    dumper.emit(StreamStartEvent())
    dumper.emit(DocumentStartEvent(explicit=False))
    _emit(data, dumper.emit)
    dumper.emit(DocumentEndEvent(explicit=False))
    dumper.emit(StreamEndEvent())
    # Each is in double quotes, as `_text` has it.
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", stream.getvalue())


def _emit(data: Any, emit: Callable[[Event], None]) -> None:  # noqa: ANN401
    if isinstance(data, str):
        emit(_short(data) if len(data) <= _SHORT else _text(data))
    elif isinstance(data, dict):
        emit(_MAPPING)
        for key in sorted(data):
            _emit(key, emit)
            _emit(data[key], emit)
        emit(_MAPPING_END)
    elif isinstance(data, list | tuple):
        emit(_SEQUENCE)
        for item in data:
            _emit(item, emit)
        emit(_SEQUENCE_END)
    else:
        node = _representer.represent_data(data)
        emit(ScalarEvent(None, None, (True, False), node.value))


def _text(value: str) -> ScalarEvent:
    if _OTHER_BREAKS.search(value) or _UNSEEN.search(value):
        return ScalarEvent(None, None, (False, True), str(value), style='"')
    if isinstance(value, Quoted):
        return ScalarEvent(None, None, (False, True), str(value), style="'")
    if "\n" in value:
        return ScalarEvent(None, None, (False, True), value, style="|")
    plain = _resolver.resolve(yaml.ScalarNode, value, (True, False)) == _TEXT and not _ELSEWHERE.fullmatch(
        value.replace("_", "")
    )
    return ScalarEvent(None, None, (plain, True), value)


# Keys, labels and names recur.
_short = lru_cache(maxsize=4096, typed=True)(_text)
