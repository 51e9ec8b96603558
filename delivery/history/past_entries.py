"""The models of many versions of one stack file, read quickly.

From commit to commit one entry of a stack file changes. So each entry is parsed separately and cached by its text,
which is several times faster than parsing every version as a whole. A file that cannot be split is parsed as a whole.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from components.errors import SettingsError
from components.files.sources import PROJECT
from components.files.yaml_document import parse_document
from delivery.releases.changes import Entries, entries

_MODELS = re.compile(rf"^( +){re.escape(PROJECT)}:models:[ ]*\n", re.MULTILINE)
# Line ends of YAML besides the usual one, and tabs.
_OTHER_SPACE = re.compile("[\\t\\r\\x85\\u2028\\u2029]")
_ENTRY = re.compile(r"[A-Za-z0-9]")


class PastEntries:
    """The models of versions of stack files, by the names of their blobs."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[str, Entries] = {}

    def of(self, blob: str, file: str) -> Entries:
        """The models of one version by name; empty when it is not valid YAML."""
        if blob not in self._read:
            self._read[blob] = quick_entries(self._texts[blob], file)
        return self._read[blob]


def quick_entries(text: str, file: str) -> Entries:
    """The same as `entries` of delivery/releases/changes.py."""
    parts = _cut(text)
    if parts is None:
        return entries(text, file)
    frame, pieces = parts
    config = (_mapping(frame) or {}).get("config")
    if not isinstance(config, dict) or config.get(f"{PROJECT}:models", frame) is not None:
        return entries(text, file)
    found: dict[str, Mapping[str, Any]] = {}
    for piece in pieces:
        read = _mapping(piece)
        if read is None or len(read) != 1 or not found.keys().isdisjoint(read):
            return entries(text, file)
        found.update(read)
    return {name: entry for name, entry in found.items() if isinstance(entry, dict)}


def _cut(text: str) -> tuple[str, list[str]] | None:
    """A stack file without its models, and the text of each entry; None where it cannot be split by lines."""
    heads = list(_MODELS.finditer(text))
    if len(heads) != 1 or _OTHER_SPACE.search(text):
        return None
    head, rest = heads[0], ""
    indent = 0
    pieces: list[list[str]] = []
    *whole, last = text[head.end() :].split("\n")
    lines = [*(f"{line}\n" for line in whole), last]
    for number, line in enumerate(lines):
        content = line.lstrip(" ")
        depth = len(line) - len(content)
        if not content.strip("\n") or content.startswith("#"):
            if pieces:
                pieces[-1].append(line)
            continue
        if depth <= len(head[1]):
            rest = "".join(lines[number:])
            break
        indent = indent or depth
        if depth == indent and _ENTRY.match(content):
            pieces.append([])
        elif depth <= indent:
            return None
        pieces[-1].append(line)
    return text[: head.end()] + rest, ["".join(piece) for piece in pieces]


@cache
def _mapping(text: str) -> dict[str, Any] | None:
    try:
        return parse_document(text, "").data
    except SettingsError:
        return None
