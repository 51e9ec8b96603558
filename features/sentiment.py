"""What the sentiment classifier reads."""

from feast import FeatureService
from products import product_reviews

sentiment_v1 = FeatureService(
    name="sentiment_v1",
    features=[product_reviews],
    description="How well a product was liked so far.",
    owner="team-language",
)
