"""What the registries know of a version: its image, and its registered model with the metrics that gates judge."""
