"""No value of any object is a secret, wherever it stands."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.errors import Problem
from delivery.policies.manifest import Manifest
from delivery.policies.secret_formats import secrets_in
from delivery.policies.stage import StageRules

_ENCODED = "binaryData"


def secret_literals(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No text of an object, such as a variable, an argument, a file of a ConfigMap or an annotation, is a secret.

    A problem names the place and the kind, and never the value.
    """
    texts = list(_texts(manifest, ""))
    # Most objects have none; one look at all of it takes a fraction of a look at each text.
    if not any(secrets_in("\n".join(text for _, text in texts))):
        return
    for place, text in texts:
        for what in secrets_in(text):
            yield Problem(
                f"{place} contains {what}",
                "put it into a Secret and name that by secretKeyRef, or webhookUrlSecret for alerts; then replace the "
                "secret, since git keeps this one",
            )


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Every text with its place, like `spec.containers[server].env[LOG_LEVEL].value`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inside = f"{place}.{key}" if place else str(key)
            yield from _decoded(item, inside) if key == _ENCODED else _texts(item, inside)
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            yield from _texts(item, f"{place}[{index if name is None else name}]")


def _decoded(files: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    for name, content in files.items():
        try:
            yield f"{place}.{name}", base64.b64decode(content).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            # The API server refuses what is not base64.
            yield f"{place}.{name}", content
