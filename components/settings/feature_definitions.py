"""What the Feast definitions in `features/` define, as Feast wrote it.

`delivery/features/definitions.py` writes the file, `components/loading/feature_definitions.py` reads it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from components.settings.pod import Settings

FORMAT = 1


class ViewKind(StrEnum):
    """What Feast calls the view; a BatchFeatureView is one that materialisation fills, like any FeatureView."""

    BATCH = "FeatureView"
    STREAM = "StreamFeatureView"
    ON_DEMAND = "OnDemandFeatureView"


class EntityDefinition(Settings):
    """What features are about."""

    join_key: str
    """The column that identifies one."""
    value_type: str | None = None
    """The type of that column, a ValueType of Feast; omitted where the definition has none."""


class ViewDefinition(Settings):
    """Features that are computed and stored together."""

    kind: ViewKind
    features: dict[str, str]
    """The type of each feature by its name, as feast.types names it."""
    entities: tuple[str, ...] = ()
    """The names of its entities."""


class ServiceDefinition(Settings):
    """The features a model reads together."""

    features: dict[str, tuple[str, ...]]
    """For each view of the service by its name, the features taken from it."""


class DefinitionsFile(Settings):
    """`features/definitions.yaml`: what Feast read, and from which sources."""

    format: int
    """The format of this file."""
    feast: str
    """The version of Feast that read the sources."""
    sources: dict[str, str]
    """The checksum of each Python file by its path inside `features/`."""
    entities: dict[str, EntityDefinition]
    views: dict[str, ViewDefinition]
    services: dict[str, ServiceDefinition]
    checksum: str
    """The checksum of everything else in this file."""


@dataclass(frozen=True, kw_only=True)
class FeatureDefinitions:
    """Everything in `features/`.

    Attributes:
        files: The text of each Python file by its path inside the folder.
        feast: The version of Feast that read them; None where nothing is defined.
        entities: By name.
        views: By name.
        services: By name.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    feast: str | None = None
    entities: Mapping[str, EntityDefinition] = field(default_factory=dict)
    views: Mapping[str, ViewDefinition] = field(default_factory=dict)
    services: Mapping[str, ServiceDefinition] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        """The checksum of the definitions: 64 hexadecimal digits."""
        return _digest("\0".join(f"{path}\0{self.files[path]}" for path in sorted(self.files)))

    @property
    def materialized(self) -> tuple[str, ...]:
        """The names of the views that materialisation fills; on-demand ones are computed when they are read."""
        filled = (name for name, view in self.views.items() if view.kind is not ViewKind.ON_DEMAND)
        return tuple(sorted(filled))


def source_checksums(files: Mapping[str, str]) -> dict[str, str]:
    """The checksum of each file's text by its path: 64 hexadecimal digits."""
    return {path: _digest(text) for path, text in sorted(files.items())}


def content_checksum(data: Mapping[str, Any]) -> str:
    """The checksum of a definitions file without the line of the checksum itself: 64 hexadecimal digits."""
    content = {key: value for key, value in data.items() if key != "checksum"}
    return _digest(json.dumps(content, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
