"""What is known of a product from the reviews that people have rated."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

product = Entity(
    name="product",
    join_keys=["product_id"],
    value_type=ValueType.STRING,
    description="Something that reviews are about.",
)

product_reviews_source = FileSource(
    name="product_reviews",
    path="s3://example-features/product_reviews.parquet",
    timestamp_field="event_timestamp",
)

product_reviews = FeatureView(
    name="product_reviews",
    entities=[product],
    # Older counts are not taken over.
    ttl=timedelta(days=7),
    schema=[
        Field(name="review_count", dtype=Int64, description="How many reviews have a rating."),
        Field(name="positive_count", dtype=Int64, description="How many of them are positive."),
    ],
    source=product_reviews_source,
    owner="team-language",
)
