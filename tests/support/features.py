"""Feast definitions and a feature store's settings, for tests."""

from pathlib import Path

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
STORE = """\
  ml-deployments:featureStore:
    owner: team-features
    version: "0.67.0"
    replicas: 2
    online: {redis: {install: true, passwordSecret: {name: redis, key: password}}}
    registry: {sql: {urlSecret: {name: registry, key: url}}}
    network: {egress: [{cidr: 10.0.0.0/16, ports: [5432]}]}
"""


def write_features(project: Path, **files: str) -> None:
    """Write features/<name>.py; by default an entity, a view and the service sentiment_v1."""
    folder = project / "features"
    folder.mkdir(exist_ok=True)
    for name, text in (files or {"entities": ENTITIES, "views": VIEWS}).items():
        (folder / f"{name}.py").write_text(text)
