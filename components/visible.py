r"""Makes characters visible that a terminal, a CI log or a page would hide, obey or display in another order.

Each is written as JSON writes it, like `\u001b`: a text that is JSON stays JSON of the same meaning, and a text
that was made visible stays as it is.
"""

import re

# Printable for Python, and displayed as nothing: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
# and the empty pattern of Braille.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# The runner of GitHub takes a line that begins like the first for a command, and the second anywhere in a line; Azure
# Pipelines and TeamCity write theirs with a word before the bracket.
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
_COMMAND = re.compile(r"^([ \t]*):(?=:)|(?<=#)#(?=\w*\[)", re.MULTILINE)
_KEPT = "\n\t"
_BASIC, _LEAD, _TRAIL = 0xFFFF, 0xD800, 0xDC00


def visible(text: str) -> str:
    """A text of one or more lines without a character that is not seen, and without a command for a CI system."""
    text = text.replace("\r\n", "\n")
    return _COMMAND.sub(_inert, _shown(text, _KEPT))


def in_line(text: str, longest: int | None = None) -> str:
    """The same in one line; longer ones are cut at `longest` characters and say how many they have."""
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}... ({len(text)} characters)"
    return _COMMAND.sub(_inert, _shown(text, ""))


def _shown(text: str, kept: str) -> str:
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(
        sign if sign in kept or (sign.isprintable() and not _BLANK.match(sign)) else _escaped(sign)
        for sign in text
    )


def _escaped(sign: str) -> str:
    code = ord(sign)
    if code <= _BASIC:
        return f"\\u{code:04x}"
    # As UTF-16 does: https://www.rfc-editor.org/rfc/rfc8259#section-7
    high, low = divmod(code - _BASIC - 1, 0x400)
    return f"\\u{_LEAD + high:04x}\\u{_TRAIL + low:04x}"


def _inert(found: re.Match[str]) -> str:
    return f"{found[1] or ''}{_escaped(found[0][-1])}"
