"""Masks the registry's password in messages of Feast and of the database drivers. Pure functions."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

MASK = "***"
_DELIMITER = re.compile(r"[@:/?#&=]")
# A shorter one is masked as a word only, or it would make holes in every other word.
_SHORTEST = 4


def masked(text: str, url: str) -> str:
    """A text without the registry's URL, and without the password in it, as it is or percent-encoded or decoded.

    A malformed URL is not split as its author intended, so each part that may belong to the password is masked: an
    unescaped `p@ss` ends at its first `@`, and the rest becomes the host that cannot be found.
    """
    forms = sorted(
        {form for secret in _secrets(url) for form in _forms(secret)} - {""}, key=len, reverse=True
    )
    if not forms:
        return text
    return re.sub("|".join(map(_pattern, forms)), MASK, text)


def _secrets(url: str) -> Iterator[str]:
    yield url
    _, found, rest = url.partition("://")
    if not found:
        yield from _DELIMITER.split(url)
        return
    account, found, _ = rest.rpartition("@")
    if found:
        yield account.partition(":")[2]
        yield from _DELIMITER.split(account)[1:]
    elif not (port := re.split("[/?]", rest)[0].partition(":")[2]).isdigit():
        # A URL that ends after its password.
        yield port
    for name, value in parse_qsl(rest.rpartition("?")[2]):
        if "pass" in name.lower():
            yield value


def _forms(secret: str) -> Iterator[str]:
    plain = unquote(secret)
    yield from (secret, plain, unquote_plus(secret), quote(secret, safe=""), quote(plain, safe=""))
    # As SQLAlchemy writes it, and inside the quotes of an error that shows a value.
    yield from (quote(plain, safe=" +"), repr(secret)[1:-1], repr(plain)[1:-1])


def _pattern(form: str) -> str:
    return re.escape(form) if len(form) >= _SHORTEST else rf"(?<!\w){re.escape(form)}(?!\w)"
