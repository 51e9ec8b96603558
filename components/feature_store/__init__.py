"""A stage's Feast feature store, and what watches it. It may import monitoring and what is below."""
