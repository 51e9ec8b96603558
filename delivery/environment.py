"""The environment of a process that runs the code of a commit: what it needs to run, and no credential besides."""

import os
from collections.abc import Iterable, Mapping

# What a process needs to run and to reach a network.
_PLAIN = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "SSL_CERT_*", "*_PROXY", "*_proxy")


def environment_with(wanted: Iterable[str], given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that every process needs, and those with the wanted names.

    A token in a variable is in nothing that such a process starts. Files are not hidden: it runs as the same user.

    Args:
        wanted: Names; a `*` at the start or the end stands for any text.
        given: The variables there are.
    """
    patterns = (*_PLAIN, *wanted)
    return {name: value for name, value in given.items() if any(_is(name, pattern) for pattern in patterns)}


def _is(name: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern
