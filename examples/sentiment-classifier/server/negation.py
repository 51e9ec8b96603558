"""Marks what a negation covers, so that the model distinguishes "good" from "not good"."""

import re

_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)?|[.,;:!?]")
_NEGATION = re.compile(r"not|no|never|nothing|nobody|none|without|cannot|neither|nor|\w+n['\u2019]t")
_END_OF_SCOPE = frozenset(".,;:!?") | {"but", "and"}
_SCOPE = 4


def mark_negation(text: str) -> str:
    """The words of a text in lower case, with `not_` before the four words after a negation.

    A comma, a full stop, "and" or "but" ends the reach of a negation: "not good, but cheap" becomes
    "not not_good , but cheap". Training and serving both use this, so a model fits one version of it.
    """
    marked = []
    left = 0
    for token in _TOKEN.findall(text.lower()):
        if token in _END_OF_SCOPE:
            left = 0
        marked.append(f"not_{token}" if left else token)
        left = max(0, left - 1)
        if _NEGATION.fullmatch(token):
            left = _SCOPE
    return " ".join(marked)
