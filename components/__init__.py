"""Reusable Pulumi components for model deployments, and the settings they are built from."""
