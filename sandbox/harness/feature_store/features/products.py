"""The definitions that the tests of the feature store work on; the repository's own are in features/."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

product = Entity(name="product", join_keys=["product_id"], value_type=ValueType.STRING)
counts = FileSource(
    name="product_reviews",
    path="s3://example-features/product_reviews.parquet",
    timestamp_field="event_timestamp",
)
product_reviews = FeatureView(
    name="product_reviews",
    entities=[product],
    ttl=timedelta(days=7),
    schema=[
        Field(name="review_count", dtype=Int64),
        Field(name="positive_count", dtype=Int64),
    ],
    source=counts,
)
sentiment_v1 = FeatureService(name="sentiment_v1", features=[product_reviews])
