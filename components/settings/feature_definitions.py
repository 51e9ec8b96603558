"""What the Feast definitions in `features/` define, as far as it is known without running them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ViewKind(StrEnum):
    """What Feast calls the view."""

    BATCH = "FeatureView"
    STREAM = "StreamFeatureView"
    ON_DEMAND = "OnDemandFeatureView"


@dataclass(frozen=True, kw_only=True)
class EntityDefinition:
    """What features are about.

    Attributes:
        name: Its name.
        join_key: The column that tells one from another.
        value_type: The type of that column as it is written; None where none is.
        file: The file that defines it.
        line: The line of its name there.
    """

    name: str
    join_key: str
    value_type: str | None
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class ViewDefinition:
    """Features that are computed and kept together.

    Attributes:
        name: Its name.
        kind: Feast's class.
        features: The type of each feature by its name, as it is written.
        entities: The names of its entities.
        file: The file that defines it.
        line: The line of its name there.
    """

    name: str
    kind: ViewKind
    features: Mapping[str, str]
    entities: tuple[str, ...]
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class ServiceDefinition:
    """The features a model reads together.

    Attributes:
        name: Its name.
        features: For each view of the service by its name, the features taken from it.
        file: The file that defines it.
        line: The line of its name there.
    """

    name: str
    features: Mapping[str, tuple[str, ...]]
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class FeatureDefinitions:
    """Everything in `features/`.

    Attributes:
        files: The text of each Python file by its path inside the folder.
        entities: By name.
        views: By name.
        services: By name.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, EntityDefinition] = field(default_factory=dict)
    views: Mapping[str, ViewDefinition] = field(default_factory=dict)
    services: Mapping[str, ServiceDefinition] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        """Another one for other definitions: 64 hexadecimal digits."""
        text = "\0".join(f"{path}\0{self.files[path]}" for path in sorted(self.files))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def materialized(self) -> tuple[str, ...]:
        """The names of the views that materialisation fills; on-demand ones are computed when they are read."""
        return tuple(sorted(v.name for v in self.views.values() if v.kind is not ViewKind.ON_DEMAND))
