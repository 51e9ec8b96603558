"""Builders of Kubernetes objects that know no part of the project. It may import settings."""
