"""Feast definitions and a feature store's settings, for tests."""

from pathlib import Path
from typing import Any

from components.files.sources import Sources
from components.loading.feature_definitions import FILE, source_files
from delivery.features.definitions import definitions_text

ENTITIES = """\
from feast import Entity, ValueType

author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.INT64)
"""
VIEWS = """\
from datetime import timedelta

from feast import FeatureService, FeatureView, Field, FileSource
from feast.types import Float32, Int64

from entities import author

posts = FileSource(name="posts", path="s3://data/posts.parquet", timestamp_field="event_timestamp")
author_posts = FeatureView(
    name="author_posts",
    entities=[author],
    ttl=timedelta(days=1),
    schema=[
        Field(name="author_id", dtype=Int64),
        Field(name="posts_per_day", dtype=Float32),
        Field(name="karma", dtype=Int64),
    ],
    source=posts,
)
sentiment_v1 = FeatureService(name="sentiment_v1", features=[author_posts])
"""
# What Feast reads from them; tests/integration/feature_store/test_feature_definitions.py asks it.
DEFINED: dict[str, Any] = {
    "feast": "0.67.0",
    "entities": {"author": {"joinKey": "author_id", "valueType": "INT64"}},
    "views": {
        "author_posts": {
            "kind": "FeatureView",
            "entities": ["author"],
            "features": {"posts_per_day": "Float32", "karma": "Int64"},
        }
    },
    "services": {"sentiment_v1": {"features": {"author_posts": ["karma", "posts_per_day"]}}},
}
# A stage's own Redis in STORE.
OWN_REDIS = """{install: true, passwordSecret: {name: redis, key: password},
      readPasswordSecret: {name: redis, key: read-password}}"""
STORE = """\
  ml-deployments:featureStore:
    owner: team-features
    version: "0.67.0"
    replicas: 2
    online: {redis: {install: true, passwordSecret: {name: redis, key: password},
      readPasswordSecret: {name: redis, key: read-password}}}
    registry: {sql: {urlSecret: {name: registry, key: url}}}
    network: {egress: [{cidr: 10.0.0.0/16, ports: [5432]}]}
"""


def view(kind: str = "FeatureView", entity: str = "author", **features: str) -> dict[str, Any]:
    """A view of one entity, as Feast writes it."""
    return {"kind": kind, "entities": [entity], "features": features}


def defined(
    *,
    entities: dict[str, Any] | None = None,
    views: dict[str, Any] | None = None,
    services: dict[str, dict[str, list[str]]] | None = None,
) -> dict[str, Any]:
    """What Feast reads from the usual definitions, with others in addition or instead; a service as its features."""
    more = {name: {"features": features} for name, features in (services or {}).items()}
    return {
        **DEFINED,
        "entities": {**DEFINED["entities"], **(entities or {})},
        "views": {**DEFINED["views"], **(views or {})},
        "services": {**DEFINED["services"], **more},
    }


def write_features(project: Path, defines: dict[str, Any] = DEFINED, **files: str) -> None:
    """Write features/<name>.py, by default an entity, a view and the service sentiment_v1, and what they define."""
    folder = project / "features"
    folder.mkdir(exist_ok=True)
    for name, text in (files or {"entities": ENTITIES, "views": VIEWS}).items():
        (folder / f"{name}.py").write_text(text)
    sources, _ = source_files(Sources.of(project))
    # As Feast would for the existing Python files.
    (project / FILE).write_text(definitions_text(sources, defines))
