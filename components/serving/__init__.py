"""A model as a running server. It may import feature_store, monitoring and what is below."""
