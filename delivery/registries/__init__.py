"""What the registries know about a version: its image, and its registered model with the metrics for the gates."""
