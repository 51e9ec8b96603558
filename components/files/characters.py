"""Characters that do not reach the cluster as they are written.

Every request that applies an object is read as YAML, whatever it is written as. The reader refuses DEL, the control
characters from U+0080 on and the last two characters of the basic plane, and turns U+0085 into a space:
https://github.com/yaml/go-yaml/blob/v2.4.0/readerc.go
"""

import re
from collections.abc import Iterator, Mapping

from components.errors import Problem

LOST = re.compile("[\x7f-\x9f\ufffe\uffff]")
LOST_FIX = "remove it; a text in another encoding, such as Windows-1252, has to be converted to UTF-8"
# What a YAML file must not contain as it is: https://yaml.org/spec/1.1/#id868524
_RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_PLACEHOLDER = "\ufffd"


def lost(character: str) -> str:
    """Why a character is refused that does not reach the cluster."""
    return f"contains the character {_name(character)}, which the API server refuses or changes"


def without_raw(text: str) -> str:
    """The text of a YAML file with a placeholder for each character that `raw_problems` refuses."""
    return _RAW.sub(_PLACEHOLDER, text)


def raw_problems(text: str, file: str, values: Mapping[str, tuple[int, str | None]]) -> Iterator[Problem]:
    """The first character of each line that a YAML file must not contain as it is.

    Args:
        text: The file.
        file: Its name.
        values: First line and text of each value, by its field and in their order, as far as they can be read
            without these characters.
    """
    fields = {
        line + below: field
        for field, (line, value) in values.items()
        if value is not None and _PLACEHOLDER in value
        # A block begins below its key.
        for below in range(value.count("\n") + 1 + ("\n" in value))
    }
    for number, line in enumerate(text.split("\n"), 1):
        if found := _RAW.search(line):
            reason, fix = lost(found[0]), LOST_FIX
            if not LOST.match(found[0]):
                reason = f"contains the character {_name(found[0])}, which YAML allows only as an escape"
                fix = f'remove it, or write "\\x{ord(found[0]):02x}" in double quotes'
            yield Problem(file=file, line=number, field=fields.get(number, ""), reason=reason, fix=fix)


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
