"""Builders of Kubernetes objects that do not depend on a part of the project. It may import settings."""
