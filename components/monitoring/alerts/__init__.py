"""The alerts of a model."""
