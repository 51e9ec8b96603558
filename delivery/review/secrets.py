"""The Secrets that manifests require; only the user creates them, so a new one must be created first."""

from collections.abc import Iterator, Sequence
from typing import Any


def new_secrets(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Each Secret, with its keys, that one commit requires and the other does not: `ml-staging/redis (password)`."""
    had = set(_asked(before))
    keys: dict[str, set[str]] = {}
    for secret, key in _asked(after):
        if (secret, key) not in had:
            keys.setdefault(secret, set()).add(key)
    listed = ((secret, ", ".join(sorted(filter(None, keys[secret])))) for secret in sorted(keys))
    return tuple(f"{secret} ({names})" if names else secret for secret, names in listed)


def _asked(manifests: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    # A Secret that the same change renders needs no other.
    made = {_name(m, m["metadata"]["name"]) for m in manifests if m["kind"] == "Secret"}
    for manifest in manifests:
        for secret, key in _references(manifest):
            if _name(manifest, secret) not in made:
                yield _name(manifest, secret), key


def _name(manifest: dict[str, Any], secret: str) -> str:
    return f"{manifest['metadata'].get('namespace', '')}/{secret}"


def _references(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any part of a manifest
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    if not isinstance(value, dict):
        return
    for field, inner in value.items():
        if field == "secretKeyRef" and isinstance(inner, dict):
            yield inner["name"], inner["key"]
        elif field == "secretRef" and isinstance(inner, dict) and "name" in inner:
            yield inner["name"], ""
        elif field == "secret" and isinstance(inner, dict) and "secretName" in inner:
            yield inner["secretName"], ""
        elif field == "imagePullSecrets" and isinstance(inner, list):
            yield from ((secret["name"], "") for secret in inner)
        else:
            yield from _references(inner)
